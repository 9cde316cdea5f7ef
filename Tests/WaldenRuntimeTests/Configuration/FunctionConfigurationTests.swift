import Testing
import WaldenDependency

@testable import WaldenRuntime

@Suite struct FunctionConfigurationTests {
    @Test func everyMemberIsRead() throws {
        let file = """
            functions:
              - name: app.total(integer, timestamp with time zone)
                reads: [public.orders, public.lines]
              - name: app.label()
                reads: []
            """
        let functions = try load(file: file).functions
        #expect(functions.count == 2)
        #expect(functions.first?.name == QualifiedName(schema: "app", name: "total"))
        #expect(functions.first?.arguments == ["integer", "timestamp with time zone"])
        #expect(functions.first?.reads.map(\.description) == ["public.orders", "public.lines"])
        #expect(functions.last?.arguments == [])
        #expect(functions.last?.reads == [])
    }

    @Test(arguments: [
        ("functions: 1", "walden.yaml:1: functions: must be a list of functions"),
        ("functions:\n  - 1", "walden.yaml:2: functions[1]: must be a group of settings"),
        ("functions:\n  - name: total(integer)\n    reads: []", "functions[1].name: a function is named"),
        ("functions:\n  - name: app.total(integer)", "functions[1]: needs a name and the list of relations"),
        ("functions:\n  - reads: []", "functions[1]: needs a name and the list of relations"),
        ("functions:\n  - name: a.b()\n    reads: [orders]", "functions[1].reads: a relation is named with its schema"),
        ("functions:\n  - name: a.b()\n    reads: orders", "functions[1].reads: must be a list"),
        (
            "functions:\n  - name: a.b()\n    reads: []\n    colour: red",
            "functions[1].colour: there is no such setting"
        ),
        (
            "functions:\n  - name: a.b()\n    reads: []\n  - name: a.b()\n    reads: []",
            "walden.yaml:4: functions[2]: is declared twice"
        ),
    ])
    func faultsAreNamedWithTheirPlace(file: String, expected: String) {
        let found = problems(file: file)
        #expect(found.count == 1)
        #expect(found.first?.contains(expected) == true, "\(found)")
    }

    @Test func changedDeclarationsTakeEffectAtOnce() throws {
        let old = try load(file: "functions: []")
        let new = try load(file: "functions:\n  - name: app.total()\n    reads: []")
        #expect(old.differences(to: new).reloadable == ["functions"])
    }
}
