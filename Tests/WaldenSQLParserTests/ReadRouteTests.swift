import Testing
import WaldenCore
import WaldenDependency

@testable import WaldenSQLParser

/// Which statements are proven to be reads that any node answers alike. Risk: one that a replica answers otherwise than
/// the primary; an error of a replica that the primary would not have made.
@Suite struct ReadRouteTests {
    /// Relation 16456 is the view `v`, 16465 has row security, 16446 is unlogged, 16453 foreign.
    private static func catalog(
        view: String = "SELECT customers.id, customers.name FROM app.customers WHERE customers.vip;",
        policy: String = "(NOT hide)", without: [String] = ["setter", "fast", "far"], more: String = ""
    ) -> CatalogSnapshot {
        let functions = """
            F;89001;pg_catalog;pg_walfile_name;3220;0;0;25;i;f;0
            F;89002;pg_catalog;pg_is_in_recovery;;0;0;16;v;f;0
            F;89003;pg_catalog;lastval;;0;0;20;v;f;0
            F;89004;pg_catalog;set_config;25,25,16;0;0;25;v;f;1
            F;89005;pg_catalog;gen_random_uuid;;0;0;2950;v;f;0
            F;89006;pg_catalog;pg_current_snapshot;;0;0;2970;s;f;0
            F;89007;pg_catalog;has_table_privilege;25,25;0;0;16;s;f;0
            F;89008;pg_catalog;pg_notify;25,25;0;0;2278;v;f;0
            F;16601;app;teller;;0;0;16;s;f;0;1
            F;16602;app;conv;25;0;0;16393;v;f;0
            F;16603;app;strict_eq;16393,16393;0;0;16;v;f;0
            """
        let lines = (catalogRelations + "\n" + catalogFunctions + "\n" + functions + "\n" + more)
            .split(separator: "\n")
            .filter { line in !without.contains { line.contains(";\($0);") } }
        return CatalogText.snapshot(
            lines.joined(separator: "\n"), searchPath: "app, public",
            security: SecurityEntries(
                views: [ViewEntry(relation: RelationID(16456), definition: view, owner: 1, isInvoker: false)],
                rowSecurity: [RowSecurityEntry(relation: RelationID(16465), owner: 1, isForced: false)],
                policies: [
                    PolicyEntry(relation: RelationID(16465), isPermissive: true, roles: nil, condition: policy)
                ]))
    }

    /// The rule that keeps it on the primary; `any` when nothing does.
    private static func route(
        _ sql: String, _ catalog: CatalogSnapshot? = catalog(), searchPath: String? = nil
    ) -> String {
        analyze(sql, searchPath: searchPath, catalog: catalog).readRoute.refusal?.rule.rawValue ?? "any"
    }

    // MARK: Syntax

    @Test(arguments: [
        ("select id from orders", "any"), ("values (1), (2)", "any"), ("table orders", "any"), ("", "any"),
        ("select 1", "any"), ("with w as (select id from orders) select * from w", "any"),
        ("select id from orders union select id from customers order by 1 limit 3", "any"),
        ("explain select id from orders", "any"), ("explain (costs off) select 1", "any"),
        ("explain analyze select id from orders", "not_a_select"),
        ("explain (analyze, buffers) select 1", "not_a_select"),
        ("explain delete from orders", "not_a_select"), ("explain select id from orders for update", "not_a_select"),
        // Syntax that no dependency is known of: the names in it are known all the same.
        ("select id from orders tablesample system (10)", "any"),
        ("select xmlelement(name a, status) from orders", "any"),
        ("select id from orders; select 1", "several_statements"), ("insert into orders values (1)", "not_a_select"),
        ("update orders set paid = true", "not_a_select"), ("copy orders to stdout", "not_a_select"),
        ("show server_version", "not_a_select"), ("listen x", "not_a_select"), ("begin", "not_a_select"),
        ("execute p", "not_a_select"), ("declare c cursor for select 1", "not_a_select"),
        ("select id from orders for update", "locking_clause"),
        ("select id from orders for key share", "locking_clause"),
        ("select id from (select id from orders for share) s", "locking_clause"),
        ("select id into x from orders", "select_into"),
        ("with d as (delete from orders returning id) select * from d", "data_modifying_cte"),
        ("selec 1", "unparsable"), ("select json_serialize('1')", "function"),
    ])
    func syntax(sql: String, expected: String) {
        #expect(Self.route(sql) == expected)
    }

    @Test func withoutACatalogNothingIsProven() {
        #expect(Self.route("select 1", nil) == "catalog_unknown")
        #expect(Self.route("select '\\' ", Self.catalog()) == "any")
    }

    // MARK: Functions

    @Test(arguments: [
        // Not cacheable, and as good on a replica.
        ("select now()", "any"), ("select current_timestamp, current_date, current_user", "any"),
        ("select placed at time zone 'UTC', age(placed) from orders", "any"), ("select 'now'::timestamptz", "any"),
        ("select clock_timestamp(), gen_random_uuid()", "any"), ("select id from odd where tz > '10:00'", "any"),
        ("select lower(status), count(*), date_trunc('day', placed) from orders group by 1, 3", "any"),
        ("select has_table_privilege('a', 'select')", "any"), ("select stab(1), imm(1)", "any"),
        ("select id from orders where id = any (array(select imm(2)))", "any"),
        ("select current_setting('app.tenant')", "any"), ("select current_setting('app.tenant'::text, true)", "any"),
        ("select current_setting('in_hot_standby')", "function"),
        ("select current_setting(status) from orders", "function"),
        ("select current_setting('search_path')", "function"),
        ("select random()", "function"), ("select nextval('seq')", "function"), ("select lastval()", "function"),
        ("select pg_is_in_recovery()", "function"), ("select pg_current_snapshot()", "function"),
        ("select pg_walfile_name('0/0')", "function"), ("select pg_backend_pid()", "function"),
        ("select version()", "function"), ("select pg_advisory_lock(1)", "function"),
        ("select pg_notify('a', 'b')", "function"),
        ("select set_config('app.tenant', '1', false)", "function"), ("select nosuch()", "function"),
        ("select vol(1)", "function"), ("select id from orders where exists (select vol(id::int))", "function"),
        ("select id from orders order by vol(1)", "function"), ("select * from vol(1)", "function"),
        ("select total(id) from customers", "function"), ("select teller()", "function"),
        ("select setter()", "function"),
    ])
    func functions(sql: String, expected: String) {
        #expect(Self.route(sql) == expected)
    }

    @Test func aFunctionInAnotherSchemaIsAnotherFunction() {
        #expect(Self.route("select lower('A')") == "any")
        #expect(Self.route("select lower('A')", searchPath: "shadow") == "function")
        #expect(Self.route("select pg_catalog.lower('A')", searchPath: "shadow") == "any")
    }

    /// A STABLE function may read it, and a standby would refuse that in a way that the primary does not.
    @Test func functionsWhereThereAreUnreplicatedTables() {
        for table in [["far", "setter"], ["fast", "setter"]] {
            let catalog = Self.catalog(without: table)
            #expect(Self.route("select stab(1)", catalog) == "function")
            #expect(Self.route("select imm(1), now()", catalog) == "any")
        }
    }

    @Test func whereAnyCodeMayAssignSettingsViewsStay() {
        #expect(Self.route("select id from v", Self.catalog(without: ["fast", "far"])) == "function")
    }

    // MARK: Operators and casts

    @Test func usersOperators() {
        let operators = "O;app;===;16393;16393;16603\nO;app;<=>;25;25;16524\nO;app;<->;25;25;99999"
        let catalog = Self.catalog(more: operators)
        #expect(Self.route("select kind === kind from orders", catalog) == "function")
        #expect(Self.route("select id from orders where status <=> 'a'", catalog) == "any")
        #expect(Self.route("select status <-> 'a' from orders", catalog) == "operator")
        #expect(Self.route("select kind === kind from orders", catalog, searchPath: "public") == "unknown_relation")
    }

    @Test func usersCasts() {
        let volatile = Self.catalog(more: "K;25;16393;16602;0")
        #expect(Self.route("select kind from orders", volatile) == "cast")
        #expect(Self.route("select 'a'::mood", volatile) == "cast")
        #expect(Self.route("select 'a'::text::app.mood", volatile) == "cast")
        #expect(Self.route("select id from customers", volatile) == "any")
        #expect(Self.route("select kind from orders", Self.catalog(more: "K;25;16393;0;1")) == "any")
        #expect(Self.route("select id from customers", Self.catalog(more: "K;25;23;16602;0")) == "cast")
        #expect(Self.route("select id from customers", Self.catalog(more: "K;25;23;99999;0")) == "cast")
    }

    // MARK: Relations

    @Test(arguments: [
        ("select id from mv", "any"), ("select id from events", "any"), ("select id from hidden", "any"),
        ("select id from filtered", "any"), ("select id from nothing", "any"), ("select tz from odd", "any"),
        ("select id from fast", "unlogged"), ("select id from far", "foreign"),
        ("select last_value from seq", "sequence"),
        ("select relname from pg_class", "system_relation"), ("select 1 from pg_catalog.pg_type", "system_relation"),
        ("select 1 from nosuch", "unknown_relation"), ("select 1 from pg_temp.x", "unknown_relation"),
        ("select id from plain2", "any"),
        ("with fast as (select id from orders) select id from fast", "unlogged"),
        ("with nosuch as (select id from orders) select id from nosuch", "any"),
        ("select (select max(id) from far) from orders", "foreign"),
    ])
    func relations(sql: String, expected: String) {
        #expect(Self.route(sql, Self.catalog(without: ["setter"])) == expected)
    }

    @Test func aNameThatTwoSchemasOfThePathHave() {
        #expect(Self.route("select id from plain2", searchPath: "closed, public") == "ambiguous_name")
    }

    @Test func partitionsCount() {
        let more = "R;16900;app;sharded;p;p;d;0;0;0;;16901\nR;16901;app;remote;f;p;n;0;0;0;16900;"
        #expect(Self.route("select id from sharded", Self.catalog(more: more)) == "foreign")
    }

    // MARK: Views and row security

    @Test(arguments: [
        ("SELECT customers.id, customers.name FROM app.customers WHERE customers.vip;", "any"),
        ("SELECT customers.id, now() AS name FROM app.customers;", "any"),
        ("SELECT c.id, current_setting('app.tenant'::text) AS name FROM app.customers c;", "any"),
        ("SELECT c.id, current_setting('port'::text) AS name FROM app.customers c;", "function"),
        ("SELECT c.id, random() AS name FROM app.customers c;", "function"),
        ("SELECT c.id, app.vol(1) AS name FROM app.customers c;", "function"),
        ("SELECT fast.id, 'a'::text AS name FROM app.fast;", "unlogged"),
        ("SELECT c.oid AS id, c.relname AS name FROM pg_class c;", "system_relation"),
        ("WITH c AS (SELECT 1 AS id) SELECT c.id, ''::text AS name FROM c;", "any"),
        ("SELECT v.id, v.name FROM app.v;", "any"), ("SELECT s.id, s.owner AS name FROM app.secret s;", "any"),
        ("SELECT nosuch.id, ''::text AS name FROM app.nosuch;", "unknown_relation"), ("no SQL", "view"),
    ])
    func viewsAreReadThrough(definition: String, expected: String) {
        let catalog = Self.catalog(view: definition, without: ["setter"])
        #expect(Self.route("select id from v", catalog) == expected)
        #expect(Self.route("select 1 from orders where id in (select id from app.v)", catalog) == expected)
    }

    @Test func aViewThatIsNotKnown() {
        let more = "R;16901;app;w;v;p;n;0;0;0;;"
        #expect(Self.route("select 1 from w", Self.catalog(more: more)) == "view")
    }

    @Test(arguments: [
        ("(NOT hide)", "any"), ("(owner = CURRENT_USER)", "any"),
        ("(owner = current_setting('app.who'::text))", "any"), ("(random() > 0.5)", "function"),
        ("(EXISTS ( SELECT 1 FROM app.fast f WHERE (f.id = secret.id)))", "unlogged"),
        ("(id IN ( SELECT s.id FROM app.secret s))", "any"), ("(", "row_security"),
    ])
    func policies(condition: String, expected: String) {
        let catalog = Self.catalog(policy: condition, without: ["setter"])
        #expect(Self.route("select id from secret", catalog) == expected)
    }

    @Test func rowSecurityThatIsNotKnown() {
        #expect(Self.route("select id from secret", testCatalog) == "row_security")
    }

    // MARK: Hints

    @Test func aHintSaysWhereAndProvesNothing() {
        #expect(analyze("select 1 /* walden: route=primary */").routePreference == .primary)
        #expect(analyze("select 1 /* walden: route=replica */").routePreference == .replica)
        #expect(analyze("select 1").routePreference == nil)
        let hinted = analyze("select random() /* walden: route=replica, nocache */")
        #expect(hinted.readRoute.refusal?.rule == .function)
        let both = analyze("select id from orders /* walden: nocache, strict, route=replica */")
        #expect(both.readRoute.refusal == nil)
        #expect(both.level == .strict)
        #expect(both.routePreference == .replica)
        guard case .uncacheable(let refusal) = both.verdict else {
            Issue.record("it is cacheable")
            return
        }
        #expect(refusal.rule == .nocacheHint)
    }
}
