import Testing
import WaldenDependency

@testable import WaldenSQLParser

/// Scenario: the configuration says what a user's function reads. Risk: a result kept without a dependency on it.
@Suite struct DeclaredFunctionTests {
    private func summary(_ sql: String, _ declared: [(String, [String])]) throws -> String {
        let functions = try declared.map { signature, reads in
            try #require(
                DeclaredFunction(signature: signature, reads: reads.compactMap { QualifiedName(withSchema: $0) }))
        }
        let statements = StatementCatalog()
        statements.replaceFunctions(DeclaredFunctions(functions))
        statements.replaceCatalog(testCatalog)
        let context = SessionContext(searchPath: nil, loginUser: "alice", user: "alice")
        switch statements.analysis(of: Array(sql.utf8).span.bytes, context: context).verdict {
        case .uncacheable(let refusal): return "refused: \(refusal.rule.rawValue)"
        case .cacheable(let plan):
            return try plan.bind([]).tables.map { table in
                let name = testCatalog.relation(table.relation)?.name ?? "?"
                let columns = table.columns.map { $0.sorted().joined(separator: ", ") } ?? "*"
                return "\(name)(\(columns)): \(table.predicate)"
            }.joined(separator: "; ")
        }
    }

    private static let stab = [("app.stab(integer)", ["app.orders"])]

    @Test(arguments: [
        ("select stab(1)", "orders(*): every row"),
        ("select stab(id) from customers where id = 7", "customers(id): id = 7; orders(*): every row"),
        (
            "select name from customers where id = 7 and stab(id) > 0",
            "customers(id, name): id = 7; orders(*): every row"
        ),
        ("select 1 from customers c join plain p on p.id = stab(c.id)", nil),
        ("select id from customers where exists (select stab(1))", "customers(id): every row; orders(*): every row"),
        ("select s.x from (select stab(1) as x) s", "orders(*): every row"),
        ("select * from stab(1)", "orders(*): every row"),
        ("select id from orders where id = 7 and stab(id) = 1", "orders(id): id = 7; orders(*): every row"),
    ])
    func itsRelationsAreDependencies(_ sql: String, _ expected: String?) throws {
        let found = try summary(sql, Self.stab)
        if let expected { #expect(found == expected) }
        #expect(found.contains("orders(*): every row"), "\(found)")
    }

    @Test(arguments: ["app.stab(int4)", "app.stab( INTEGER )", "app.stab(Integer)"])
    func typesAreSpelledInSeveralWays(_ signature: String) throws {
        #expect(try summary("select stab(1)", [(signature, ["app.orders"])]) == "orders(*): every row")
    }

    @Test(arguments: [
        // Not this function.
        ("app.stab(bigint)", "app.orders", "select stab(1)"), ("app.stab()", "app.orders", "select stab(1)"),
        ("public.stab(integer)", "app.orders", "select stab(1)"),
        // Not to be had.
        ("app.stab(integer)", "app.nowhere", "select stab(1)"), ("app.vol(integer)", "app.orders", "select vol(1)"),
        ("pg_catalog.now()", "app.orders", "select now()"),
        ("pg_catalog.random()", "app.orders", "select random()"),
    ])
    func refused(_ signature: String, _ reads: String, _ sql: String) throws {
        #expect(try summary(sql, [(signature, [reads])]) == "refused: function")
    }

    @Test func whatItReadsMustBeInTheStream() throws {
        #expect(try summary("select stab(1)", [("app.stab(integer)", ["app.fast"])]) == "refused: unlogged")
        #expect(
            try summary("select stab(id) from customers", [("app.stab(integer)", [])]) == "customers(id): every row")
    }

    @Test func anotherDeclarationCounts() throws {
        let statements = StatementCatalog()
        statements.replaceCatalog(testCatalog)
        let context = SessionContext(searchPath: nil, loginUser: "alice", user: "alice")
        func isCacheable() -> Bool {
            let sql = Array("select stab(1)".utf8)
            if case .cacheable = statements.analysis(of: sql.span.bytes, context: context).verdict { return true }
            return false
        }
        #expect(!isCacheable())
        let declared = try #require(
            DeclaredFunction(
                signature: "app.stab(integer)", reads: [QualifiedName(schema: "app", name: "orders")]))
        statements.replaceFunctions(DeclaredFunctions([declared]))
        #expect(isCacheable())
        statements.replaceFunctions(DeclaredFunctions())
        #expect(!isCacheable())
    }

    @Test(arguments: ["stab(integer)", "app.stab", "app.(integer)", "app.f(a,,b)", "app.f(varchar(3))", ""])
    func signaturesThatAreNone(_ signature: String) {
        #expect(DeclaredFunction(signature: signature) == nil)
    }
}
