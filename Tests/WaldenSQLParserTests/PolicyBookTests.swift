import Testing
import WaldenDependency
import WaldenSQLParser

@Suite struct PolicyBookTests {
    private let book = PolicyBook(limit: 4)

    private func shape(_ sql: String) -> StatementShape? { book.shape(of: Array(sql.utf8)) }

    @Test func constantsAndParametersMakeNoDifference() throws {
        let shape = try #require(self.shape("SELECT a FROM t WHERE b = 'secret' AND c IN (1, 2)"))
        #expect(shape.text == "SELECT a FROM t WHERE b = $1 AND c IN ($2, $3)")
        #expect(self.shape("SELECT a FROM t /* 'x' */ WHERE b = $1 AND c IN (7)")?.id == shape.id)
        #expect(self.shape("SELECT a FROM t WHERE b = $1 AND d IN (7)")?.id != shape.id)
    }

    @Test func equalShapesAreShared() throws {
        let first = try #require(shape("SELECT a FROM t WHERE b = 1"))
        #expect(shape("SELECT a FROM t WHERE b = 2") === first)
    }

    @Test func whatCannotBeParsedHasNoShape() {
        #expect(shape("SELECT FROM WHERE") == nil)
        #expect(shape("SELECT '\0'") == nil)
    }

    @Test func longTextsAreReadOnAThreadOfTheirOwn() {
        let list = (0..<2_000).map(String.init).joined(separator: ", ")
        #expect(shape("SELECT a FROM t WHERE b IN (\(list))") != nil)
        #expect(shape("SELECT a FROM t WHERE " + String(repeating: "NOT ", count: 9_000) + "b") != nil)
    }

    @Test func theTableIsBounded() {
        for column in "abcdefghij" { #expect(shape("SELECT \(column) FROM t") != nil) }
    }
}
