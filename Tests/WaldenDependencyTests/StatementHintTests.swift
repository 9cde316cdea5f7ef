import Testing
import WaldenCore
import WaldenDependency

/// Hints in comments. Risk: one that stands in a literal, where an application's user may have put it.
@Suite struct StatementHintTests {
    private func hint(_ text: String) -> StatementHint? {
        StatementHint.read(Array(text.utf8))
    }

    @Test(arguments: [
        ("/* walden: strict */ SELECT 1", StatementHint(level: .strict)),
        ("SELECT 1 /*walden:bounded*/", .init(level: .bounded)),
        ("SELECT 1 -- walden: session\n", .init(level: .session)),
        ("SELECT /* WALDEN: NoCache */ 1", .init(bypassesCache: true)),
        ("SELECT 'it''s' /* walden: strict */", .init(level: .strict)),
        ("SELECT E'\\'' /* walden: strict */", .init(level: .strict)),
        ("SELECT $1, $a$ ' $a$ /* walden: strict */", .init(level: .strict)),
        ("/* app */ SELECT 1 /* walden: bounded */ /* walden: strict */", .init(level: .strict)),
        ("/* walden: strict, nocache */ SELECT 1", .init(bypassesCache: true, level: .strict)),
        ("/* walden: fast */ SELECT 1", .init(level: .strict)),
        ("SELECT x$a /* walden: strict */ $a", .init(level: .strict)),
        ("SELECT te'\\' /* walden: strict */", .init(level: .strict)),
        ("/* walden: route=primary */ SELECT 1", .init(route: .primary)),
        ("/* walden: ROUTE=Replica, bounded */ SELECT 1", .init(level: .bounded, route: .replica)),
        ("/* walden: route=replica route=primary route=auto */ SELECT 1", .init(route: .primary)),
        ("/* walden: route=auto */ SELECT 1 -- walden: route=replica", .init(route: .replica)),
        ("/* walden: route=replica */ SELECT 1 -- walden: route=auto", .init(route: .replica)),
        ("/* walden: route=nowhere */ SELECT 1", .init(route: .primary)),
        ("/* walden: route = replica */ SELECT 1", .init(level: .strict)),
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
