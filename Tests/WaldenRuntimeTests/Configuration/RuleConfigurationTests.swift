import Testing
import WaldenCore
import WaldenDependency

@testable import WaldenRuntime

@Suite struct RuleConfigurationTests {
    @Test func everyMemberIsRead() throws {
        let file = """
            rules:
              - name: reports
                schema: sales
                table: sales.orders
                role: app
                shape: 00000000000000ff
                pattern: "*FROM orders*"
                cache: force
                consistency: strict
                max_age: 5s
                max_result_bytes: 64kB
              - cache: forbid
            """
        let rules = try load(file: file).rules
        #expect(rules.count == 2)
        var expected = CacheRule(name: "reports")
        expected.schema = "sales"
        expected.table = QualifiedName(schema: "sales", name: "orders")
        expected.role = "app"
        expected.shape = ShapeID(rawValue: 255)
        expected.pattern = Glob("*FROM orders*")
        expected.caching = .force
        expected.consistency = .strict
        expected.maxAge = .seconds(5)
        expected.maxResultBytes = 65_536
        #expect(rules.first == expected)
        #expect(rules.last?.name == "rules[2], walden.yaml:12")
        #expect(rules.last?.caching == .forbid)
    }

    @Test func noRulesAreNone() throws {
        #expect(try load(file: "rules:").rules.isEmpty)
        #expect(try load(file: "rules: []").rules.isEmpty)
    }

    @Test(arguments: [
        ("rules: 1", "walden.yaml:1: rules: must be a list of rules"),
        ("rules:\n  - 1", "walden.yaml:2: rules[1]: must be a group of settings"),
        ("rules:\n  - cache: never", "rules[1].cache"),
        ("rules:\n  - colour: red", "walden.yaml:2: rules[1].colour: there is no such setting"),
        ("rules:\n  - table: orders", "rules[1].table: a table is named with its schema: public.orders"),
        ("rules:\n  - {}\n  - max_age: soon", "rules[2].max_age"),
        ("rules:\n  - shape: xyz", "rules[1].shape: a shape has sixteen hexadecimal digits"),
        ("rules:\n  - role: [a]", "rules[1].role: must be a single value"),
        ("rules:\n  - pattern: ''", "rules[1].pattern"),
    ])
    func faultsAreNamedWithTheirPlace(file: String, expected: String) {
        let found = problems(file: file)
        #expect(found.count == 1)
        #expect(found.first?.contains(expected) == true, "\(found)")
    }

    @Test func changedRulesTakeEffectAtOnce() throws {
        let old = try load(file: "rules: []")
        let new = try load(file: "rules:\n  - cache: forbid")
        #expect(old.differences(to: new).reloadable == ["rules"])
        #expect(old.differences(to: new).needRestart.isEmpty)
    }
}
