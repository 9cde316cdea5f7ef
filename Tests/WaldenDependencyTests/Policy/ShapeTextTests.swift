import Testing
import WaldenCore

@testable import WaldenDependency

@Suite struct ShapeTextTests {
    @Test(arguments: [
        ("SELECT a\n  FROM t\tWHERE b = $1", "SELECT a FROM t WHERE b = $1"),
        ("SELECT /* user 'x' /* nested */ y */ a -- secret\nFROM t -- end", "SELECT a FROM t"),
        (#"SELECT "a  --b" FROM "c/*d*/""#, #"SELECT "a  --b" FROM "c/*d*/""#),
        ("SELECT 'left''over', E'a\\'b', $2", "SELECT '…', E'…', $2"),
        ("  SELECT 1 ", "SELECT 1"),
        ("SELECT a /* open", "SELECT a"),
        ("SELECT 'open", "SELECT '…'"),
    ])
    func cleaned(text: String, expected: String) {
        #expect(StatementShape(id: ShapeID(rawValue: 1), normalized: Array(text.utf8)).text == expected)
    }

    @Test func longTextsAreCutBetweenCharacters() {
        let text = "SELECT " + String(repeating: "é", count: 5_000)
        let shape = StatementShape(id: ShapeID(rawValue: 1), normalized: Array(text.utf8))
        #expect(shape.text.utf8.count <= StatementShape.maxBytes)
        #expect(shape.text.hasSuffix("é…"))
    }

    @Test func identifiersArePrintedAsTheyAreRead() {
        let id = ShapeID(rawValue: 0xAB)
        #expect(id.description == "00000000000000ab")
        #expect(ShapeID(id.description) == id)
        #expect(ShapeID("ab") == nil)
        #expect(ShapeID("+0000000000000ab") == nil)
    }
}
