import Testing
import WaldenCore

@testable import WaldenDependency

@Suite struct GlobTests {
    @Test(arguments: [
        ("*", "", true), ("*", "SELECT", true), ("select * from orders*", "SELECT id FROM orders WHERE a = $1", true),
        ("*orders", "SELECT id FROM orders WHERE a = $1", false), ("a?c", "abc", true), ("a?c", "ac", false),
        ("a?c", "aéc", true), ("a*b*c", "axxbyyc", true), ("a*b*c", "axxcyyb", false), ("abc", "abc", true),
        ("abc", "abcd", false), ("?", "", false), ("**a", "bba", true), ("É", "é", false),
    ])
    func matching(pattern: String, text: String, matches: Bool) throws {
        #expect(try #require(Glob(pattern)).matches(text) == matches)
    }

    /// What takes exponential time where stars are tried in all combinations.
    @Test func manyStarsAreNoTrouble() throws {
        let pattern = try #require(Glob(String(repeating: "a*", count: 100) + "b"))
        #expect(!pattern.matches(String(repeating: "a", count: 4_000)))
    }

    @Test func lengthsAreBounded() {
        #expect(Glob("") == nil)
        #expect(Glob(String(repeating: "a", count: 257)) == nil)
    }
}

@Suite struct RuleTests {
    private let shape = StatementShape(
        id: ShapeID(rawValue: 7), normalized: Array("SELECT a FROM orders WHERE b = $1".utf8))
    private let tables = [
        QualifiedName(schema: "public", name: "orders"), QualifiedName(schema: "sales", name: "items"),
    ]

    private func rule(_ change: (inout CacheRule) -> Void) -> CacheRule {
        var rule = CacheRule(name: "r")
        change(&rule)
        return rule
    }

    private func matches(_ change: (inout CacheRule) -> Void) -> Bool {
        rule(change).matches(tables: tables, role: "app", shape: shape)
    }

    @Test func eachConditionMatchesByItself() {
        #expect(matches { _ in })
        #expect(matches { $0.schema = "sales" })
        #expect(!matches { $0.schema = "other" })
        #expect(matches { $0.table = QualifiedName(schema: "public", name: "orders") })
        #expect(!matches { $0.table = QualifiedName(schema: "sales", name: "orders") })
        #expect(matches { $0.role = "app" })
        #expect(!matches { $0.role = "App" })
        #expect(matches { $0.shape = ShapeID(rawValue: 7) })
        #expect(!matches { $0.shape = ShapeID(rawValue: 8) })
        #expect(matches { $0.pattern = Glob("*from orders*") })
        #expect(!matches { $0.pattern = Glob("*from items*") })
    }

    @Test func allConditionsMustHold() {
        #expect(
            !matches {
                $0.role = "app"
                $0.schema = "other"
            })
    }

    @Test func theFirstThatMatchesHolds() {
        let other = rule { $0.role = "other" }
        let first = rule { $0.caching = .forbid }
        let second = rule { $0.caching = .force }
        let found = RuleSet([other, first, second]).first(tables: tables, role: "app", shape: shape)
        #expect(found?.caching == .forbid)
        #expect(RuleSet([other]).first(tables: tables, role: "app", shape: shape) == nil)
    }
}
