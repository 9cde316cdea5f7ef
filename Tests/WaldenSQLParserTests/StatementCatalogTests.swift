import Testing
import WaldenDependency

@testable import WaldenSQLParser

struct StatementCatalogTests {
    private let context = SessionContext(searchPath: nil, loginUser: "alice", user: "alice")

    private func analysis(
        _ catalog: StatementCatalog, _ sql: String, _ context: SessionContext? = nil
    ) -> StatementAnalysis {
        catalog.analysis(of: Array(sql.utf8).span.bytes, context: context ?? self.context)
    }

    @Test func remembersAnAnalysis() {
        let catalog = StatementCatalog()
        catalog.replaceCatalog(testCatalog)
        let first = analysis(catalog, "select id from orders")
        #expect(analysis(catalog, "select id from orders") === first)
        #expect(analysis(catalog, "select id  from orders") !== first)
        let other = SessionContext(searchPath: "public", loginUser: "alice", user: "alice")
        #expect(analysis(catalog, "select id from orders", other) !== first)
    }

    @Test func aNewCatalogForgets() {
        let catalog = StatementCatalog()
        guard case .uncacheable = analysis(catalog, "select id from orders").verdict else {
            Issue.record("cacheable before the catalog was read")
            return
        }
        catalog.replaceCatalog(testCatalog)
        guard case .cacheable = analysis(catalog, "select id from orders").verdict else {
            Issue.record("not cacheable after the catalog was read")
            return
        }
        catalog.replaceCatalog(nil)
        guard case .uncacheable(let refusal) = analysis(catalog, "select id from orders").verdict else {
            Issue.record("cacheable after the catalog was lost")
            return
        }
        #expect(refusal.rule == .catalogUnknown)
    }

    @Test(arguments: [
        StatementCatalog.Limits(count: 10), StatementCatalog.Limits(totalBytes: 300),
        StatementCatalog.Limits(count: 1), StatementCatalog.Limits(totalBytes: 1),
    ])
    func isBounded(_ limits: StatementCatalog.Limits) {
        let catalog = StatementCatalog(limits: limits)
        catalog.replaceCatalog(testCatalog)
        for number in 0..<100 {
            _ = analysis(catalog, "select id from orders where id = \(number)")
            #expect(catalog.count <= limits.count)
            #expect(catalog.count <= max(1, limits.totalBytes / 30))
        }
        let last = analysis(catalog, "select 1")
        if limits.totalBytes > 8 { #expect(analysis(catalog, "select 1") === last) }
    }

    @Test func withoutACacheTextsThatDifferByValuesShareAnAnalysis() {
        let catalog = StatementCatalog(isCaching: false)
        catalog.replaceCatalog(testCatalog)
        _ = analysis(catalog, "select id from orders where id = 1")
        let one = analysis(catalog, "select id from orders where id = 2")
        #expect(analysis(catalog, "select id from orders where id = 3") === one)
        guard case .uncacheable(let refusal) = one.verdict else {
            Issue.record("what was not judged is cacheable")
            return
        }
        #expect(refusal.rule == .valuesUnread)
        #expect(one.effect == .readOnly)
        #expect(analysis(catalog, "delete from orders where id = 3").effect == .writes)
    }

    /// What a setting becomes is told by the value.
    @Test func assignmentsAreReadByThemselves() {
        let catalog = StatementCatalog(isCaching: false)
        catalog.replaceCatalog(testCatalog)
        for value in ["a", "b", "a"] {
            let text = "select set_config('app.tenant', '\(value)', false)"
            let expected = StatementCatalog()
            expected.replaceCatalog(testCatalog)
            #expect(analysis(catalog, text).effect == analysis(expected, text).effect)
            #expect(!analysis(catalog, text).isWithoutValues)
        }
        #expect(analysis(catalog, "set work_mem = 1").effect != analysis(catalog, "set work_mem = 2").effect)
    }

    @Test func longTextsAreNotKept() {
        let catalog = StatementCatalog(limits: .init(textBytes: 20))
        catalog.replaceCatalog(testCatalog)
        guard case .uncacheable(let refusal) = analysis(catalog, "select id from orders where id = 1").verdict else {
            Issue.record("a long text is cacheable")
            return
        }
        #expect(refusal.rule == .statementTooLong)
        #expect(catalog.count == 0)
    }
}

struct ExplanationTests {
    @Test(arguments: [
        (
            "select id from orders where id = $1 and status = 'x'",
            """
            cacheable
            reads app.orders
              columns: id, status
              rows: id = $1 AND status = 'x'
              a change is matched by equality on id
            session: reads only
            route: any node

            """
        ),
        (
            "select count(*) from orders where placed > $1 or due between '2024-01-01' and $2",
            """
            cacheable
            reads app.orders
              columns: due, placed
              rows: placed > $1 OR (due >= '2024-01-01' AND due <= $2)
              a change is matched by range on placed, or by range on due
            session: reads only
            route: any node

            """
        ),
        (
            "select now() from customers",
            """
            not cacheable: function (function now is STABLE and depends on more than its arguments)
            session: reads only
            route: any node

            """
        ),
        (
            "select id from orders where id in ($1, $2) or id = any ($3)",
            """
            cacheable
            reads app.orders
              columns: id
              rows: id IN ($1, $2) OR id = ANY ($3)
              a change is matched by equality on id
            session: reads only
            route: any node

            """
        ),
        (
            "select 1 from customers where vip is null and id <> 4",
            """
            cacheable
            reads app.customers
              columns: id, vip
              rows: vip IS NULL AND id <> 4
              a change is matched by null on vip
            session: reads only
            route: any node

            """
        ),
        (
            "set role x; discard all",
            """
            not cacheable: several_statements (the text holds 2 statements)
            session: sets role to x
            session: discards the session's state
            route: primary, several_statements (the text holds 2 statements)

            """
        ),
        (
            "select id from customers where false",
            """
            cacheable
            reads app.customers
              columns: id
              rows: no row
              a change is matched never
            session: reads only
            route: any node

            """
        ),
        (
            "select name from customers",
            """
            cacheable
            reads app.customers
              columns: name
              rows: every row
              a change is matched with every row of the table
            session: reads only
            route: any node

            """
        ),
    ])
    func text(_ sql: String, _ expected: String) {
        #expect(Explanation(of: analyze(sql), in: testCatalog).text == expected)
    }
}
