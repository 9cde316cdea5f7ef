import Testing
import WaldenDependency

/// Risk: two statements of different effect are taken for one.
@Suite struct LiteralFreeTextTests {
    private static func read(_ text: String) -> String? {
        LiteralFreeText.read(Array(text.utf8).span.bytes).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [
        ("SELECT * FROM t WHERE id = 42", "SELECT * FROM t WHERE id = 0"),
        ("select 1,22,333", "select 0,0,0"),
        ("SELECT 'a', 'it''s', ''", "SELECT '', '', ''"),
        ("SELECT t1.x2 FROM t1 WHERE a$1 = $1 AND b = 5", "SELECT t1.x2 FROM t1 WHERE a$1 = $1 AND b = 0"),
        ("SELECT \"a'1\" FROM \"t\"\"2\"", "SELECT \"a'1\" FROM \"t\"\"2\""),
        ("SELECT - 7 / 3", "SELECT - 0 / 0"), ("SELECT größe9 FROM t", "SELECT größe9 FROM t"),
        ("SELECT date '2026-01-01'", "SELECT date ''"), ("", ""),
    ])
    func valuesAreLeftOut(text: String, rest: String) {
        #expect(Self.read(text) == rest)
    }

    /// Of another type than a short integer, or no integer at all.
    @Test(arguments: [
        "SELECT 1234567890", "SELECT 1.5", "SELECT 1.", "SELECT 1e5", "SELECT 0x1f", "SELECT 1_000", "SELECT .5",
    ])
    func otherNumbersStay(text: String) {
        #expect(Self.read(text) == text)
    }

    @Test(arguments: [
        "SELECT E'a'", "SELECT U&'a'", "SELECT B'1'", "SELECT n'1'", "SELECT 1 -- x", "SELECT /* walden: primary */ 1",
        "SELECT $$a$$", "SELECT $tag$a$tag$", "SELECT 'a\\'", "SELECT \\", "SELECT 'open", "SELECT \"open",
    ])
    func whatCouldBeMistakenIsNotRead(text: String) {
        #expect(Self.read(text) == nil)
    }

    /// A literal never swallows what follows it, nor the other way round.
    @Test func whatIsLeftDiffersWhereWordsDo() {
        #expect(Self.read("SELECT f('x')") != Self.read("SELECT g('x')"))
        #expect(Self.read("SELECT 'a' , f() , 'b'") == "SELECT '' , f() , ''")
        #expect(Self.read("SELECT 'a'' , f() , ''b'") == "SELECT ''")
    }
}
