import Testing
import WaldenCore
import WaldenDependency

/// Hints in comments. Risk: one that stands in a literal, where an application's user may have put it.
@Suite struct StatementHintTests {
    private func hint(_ text: String) -> StatementHint? {
        StatementHint.read(Array(text.utf8))
    }

    @Test(arguments: [
        ("/* walden: strict */ SELECT 1", StatementHint.level(.strict)),
        ("SELECT 1 /*walden:bounded*/", .level(.bounded)),
        ("SELECT 1 -- walden: session\n", .level(.session)), ("SELECT /* WALDEN: NoCache */ 1", .nocache),
        ("SELECT 'it''s' /* walden: strict */", .level(.strict)),
        ("SELECT E'\\'' /* walden: strict */", .level(.strict)),
        ("SELECT $1, $a$ ' $a$ /* walden: strict */", .level(.strict)),
        ("/* app */ SELECT 1 /* walden: bounded */ /* walden: strict */", .level(.strict)),
        ("/* walden: strict, nocache */ SELECT 1", .nocache), ("/* walden: fast */ SELECT 1", .level(.strict)),
        ("SELECT x$a /* walden: strict */ $a", .level(.strict)),
        ("SELECT te'\\' /* walden: strict */", .level(.strict)),
    ])
    func comments(text: String, expected: StatementHint) {
        #expect(hint(text) == expected)
    }

    @Test(arguments: [
        "SELECT '/* walden: nocache */'", "SELECT \"/* walden: nocache */\"", "SELECT $$/* walden: nocache */$$",
        "SELECT E'\\'/* walden: nocache */'", "SELECT $x$ -- walden: nocache\n$x$", "SELECT 1", "SELECT 1 - 2 * 3",
        "/* say walden: nocache */ SELECT 1", "/* waldenite: strict */ SELECT 1", "/* walden: */ SELECT 1",
        "SELECT 'open /* walden: nocache */", "",
    ])
    func noHint(text: String) {
        #expect(hint(text) == nil)
    }
}
