import Testing
import WaldenCore
import WaldenDependency

@testable import WaldenSQLParser

/// Views and row security: what a statement depends on through them, and what is refused.
@Suite struct ExpansionTests {
    /// The role 1 owns all; 2 is alice, a member of 3; 4 bypasses.
    private static func catalog(
        view: String = "SELECT customers.id, customers.name FROM app.customers WHERE customers.vip;",
        isInvoker: Bool = false, policies: [PolicyEntry] = [], isForced: Bool = false, rolesAreAssigned: Bool = false,
        hasUserEquality: Bool = false
    ) -> CatalogSnapshot {
        let secret = RelationID(16465)
        let relations = catalogRelations + "\nC;16465;owner;2;19;-1;1;0\nC;16465;hide;3;16;-1;1;0\n"
        let functions = catalogFunctions.split(separator: "\n").filter { line in
            hasUserEquality || !(line.contains(";=;") && !line.contains("pg_catalog")) && !line.hasPrefix("K;")
        }
        return CatalogText.snapshot(
            relations + functions.joined(separator: "\n"), searchPath: "app, public",
            security: SecurityEntries(
                views: [ViewEntry(relation: RelationID(16456), definition: view, owner: 1, isInvoker: isInvoker)],
                rowSecurity: [RowSecurityEntry(relation: secret, owner: 1, isForced: isForced)], policies: policies,
                roles: [
                    RoleEntry(oid: 1, name: "boss", bypassesRowSecurity: false, privileges: [1]),
                    RoleEntry(oid: 2, name: "alice", bypassesRowSecurity: false, privileges: [2, 3]),
                    RoleEntry(oid: 4, name: "root", bypassesRowSecurity: true, privileges: [4]),
                ], rolesAreAssigned: rolesAreAssigned))
    }

    private static func policy(
        _ condition: String?, roles: Set<UInt32>? = nil, isPermissive: Bool = true
    ) -> PolicyEntry {
        PolicyEntry(relation: RelationID(16465), isPermissive: isPermissive, roles: roles, condition: condition)
    }

    /// The relations and columns that the statement depends on, or the rule that refuses it.
    private static func reads(
        _ sql: String, _ catalog: CatalogSnapshot, user: String = "alice", assigned: Set<String> = []
    ) -> String {
        let statements = StatementCatalog()
        statements.replaceCatalog(catalog)
        let context = SessionContext(
            searchPath: nil, loginUser: user, user: user, assignedSettings: assigned)
        switch statements.analysis(of: Array(sql.utf8).span.bytes, context: context).verdict {
        case .uncacheable(let refusal): return "refused: \(refusal.rule.rawValue)"
        case .cacheable(let plan):
            guard let tables = try? plan.bind([]).tables else { return "unbound" }
            let parts = tables.map { table in
                let name = catalog.relation(table.relation)?.name ?? "?"
                return "\(name)(\(table.columns.map { $0.sorted().joined(separator: ", ") } ?? "*"))"
            }
            return parts.joined(separator: "; ")
        }
    }

    // MARK: Views

    @Test(arguments: [
        ("select id from v", "customers(id, vip); v()"),
        ("select x from v as w (x)", "customers(id, vip); v()"),
        ("select id from app.v where name = 'a'", "customers(id, name, vip); v()"),
        ("select 1 from orders where exists (select 1 from v where v.id = customer_id)", nil),
        ("with v as (select id from public.plain) select id from v", "plain(id)"),
        ("with w as (select id from v) select id from w", "customers(id, vip); v()"),
        // The definition does not see the statement's CTEs.
        ("with customers as (select 1 as id) select id from v", "customers(id, vip); v()"),
        ("select nope from v", "refused: unknown_column"),
    ])
    func viewsAreReadThrough(sql: String, expected: String?) {
        let reads = Self.reads(sql, Self.catalog())
        if let expected {
            #expect(reads == expected)
        } else {
            #expect(reads.contains("customers(") && reads.contains("v()"))
        }
    }

    @Test(arguments: [
        ("SELECT now() AS id, 'x'::text AS name FROM app.customers;", "refused: function"),
        ("SELECT CURRENT_USER AS id, name FROM app.customers;", "refused: current_value"),
        ("SELECT c.oid AS id, c.relname AS name FROM pg_catalog.pg_class c;", "refused: system_relation"),
        ("SELECT c.oid AS id, c.relname AS name FROM pg_class c;", "refused: unknown_relation"),
        ("SELECT v.id, v.name FROM app.v;", "refused: unsupported_syntax"),
        ("no SQL", "refused: view"),
        ("SELECT id, name FROM app.customers FOR UPDATE;", "refused: view"),
        ("SELECT fast.id, 'a'::text AS name FROM app.fast;", "refused: unlogged"),
    ])
    func viewsAreRefusedForWhatTheyRead(definition: String, expected: String) {
        #expect(Self.reads("select id from v", Self.catalog(view: definition)) == expected)
    }

    /// The session's path has another `plain2` and operators of its own; the definition means what it says.
    @Test func aDefinitionDoesNotDependOnTheSearchPath() {
        let catalog = Self.catalog(view: "SELECT plain2.id, lower('A'::text) AS name FROM public.plain2;")
        #expect(Self.reads("select id from v", catalog) == "plain2(id); v()")
    }

    /// `IN (SELECT …)` may have been made with it, and is printed without.
    @Test func definitionsAreRefusedWhereAUserMadeAnEqualityOfBuiltInTypes() {
        let catalog = Self.catalog(policies: [Self.policy("(NOT hide)")], hasUserEquality: true)
        #expect(Self.reads("select id from v", catalog) == "refused: view")
        #expect(Self.reads("select id from secret", catalog) == "refused: row_security")
        #expect(Self.reads("select id from secret", catalog, user: "root") == "secret(id)")
    }

    @Test func aMaterializedViewIsATableWithoutChanges() {
        #expect(Self.reads("select id from mv", Self.catalog()) == "mv(id)")
    }

    // MARK: Row security

    static let conditions: [(PolicyEntry, String)] = [
        (policy("(owner = CURRENT_USER)"), "secret(id); secret(owner)"),
        (policy("(owner = SESSION_USER)"), "secret(id); secret(owner)"),
        (policy("(NOT hide)"), "secret(id); secret(hide)"),
        (policy("true"), "secret(id); secret()"),
        (policy(nil), "secret(id)"),
        (policy("true", roles: [3]), "secret(id); secret()"),
        (policy("(NOT hide)", roles: [9]), "secret(id)"),
        (policy("(NOT hide)", isPermissive: false), "secret(id)"),
        (policy("(random() > 0.5)"), "refused: function"),
        (policy("(owner = current_setting('app.who'::text))"), "refused: row_security"),
        (policy("(owner = current_setting('search_path'::text))"), "refused: row_security"),
        (policy("(owner = current_setting(owner))"), "refused: row_security"),
        (policy("("), "refused: row_security"),
        // The table's own policies bind its subqueries: PostgreSQL finds no end either.
        (policy("(id IN ( SELECT s.id FROM app.secret s))"), "refused: unsupported_syntax"),
        (
            policy("(EXISTS ( SELECT 1 FROM app.customers c WHERE (c.name = secret.owner)))"),
            "secret(id); secret(owner); customers(name)"
        ),
    ]

    @Test(arguments: conditions.indices)
    func policiesAreDependencies(at index: Int) {
        let (policy, expected) = Self.conditions[index]
        #expect(Self.reads("select id from secret", Self.catalog(policies: [policy])) == expected)
    }

    @Test func permissiveAndRestrictivePoliciesAllCount() {
        let policies = [
            Self.policy("(NOT hide)"), Self.policy("(owner = CURRENT_USER)"),
            Self.policy("(id > 5)", isPermissive: false),
        ]
        #expect(
            Self.reads("select 1 from secret", Self.catalog(policies: policies))
                == "secret(); secret(hide, id, owner)")
    }

    @Test func whomPoliciesDoNotBind() {
        let policies = [Self.policy("(NOT hide)")]
        let sql = "select id from secret"
        #expect(Self.reads(sql, Self.catalog(policies: policies), user: "root") == "secret(id)")
        #expect(Self.reads(sql, Self.catalog(policies: policies), user: "boss") == "secret(id)")
        let forced = Self.catalog(policies: policies, isForced: true)
        #expect(Self.reads(sql, forced, user: "boss") == "secret(id); secret(hide)")
        #expect(Self.reads(sql, forced, user: "nobody knows") == "refused: row_security")
        #expect(
            Self.reads(sql, Self.catalog(policies: policies, rolesAreAssigned: true)) == "refused: row_security")
    }

    @Test func aSettingThatTheSessionAssignedIsInTheKey() {
        let catalog = Self.catalog(policies: [Self.policy("(owner = current_setting('App.who'::text, true))")])
        let sql = "select id from secret"
        #expect(Self.reads(sql, catalog, assigned: ["app.who"]) == "secret(id); secret(owner)")
        #expect(Self.reads(sql, catalog, assigned: ["app.other"]) == "refused: row_security")
    }

    @Test func throughAViewItsOwnerReads() {
        let view = "SELECT secret.id, secret.owner AS name FROM app.secret;"
        let policies = [Self.policy("(NOT hide)")]
        let sql = "select id from v"
        #expect(Self.reads(sql, Self.catalog(view: view, policies: policies)) == "secret(id); v()")
        #expect(
            Self.reads(sql, Self.catalog(view: view, isInvoker: true, policies: policies))
                == "secret(id); secret(hide); v()")
    }
}
