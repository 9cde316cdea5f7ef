import Testing
import WaldenDependency

/// What statements do to their session.
struct EffectTests {
    @Test(
        arguments: [
            ("select * from orders", .readOnly), ("select now(), random()", .readOnly), ("show all", .readOnly),
            ("values (1)", .readOnly), ("explain select 1", .readOnly), ("listen x", .readOnly),
            ("select id from orders for update", .writes), ("select nextval('seq')", .writes),
            ("select vol(1)", .writes),
            ("select pg_advisory_lock(1)", .writes), ("insert into orders values (1)", .writes),
            ("with d as (delete from orders returning *) select * from d", .writes), ("select 1 into x", .writes),
            ("copy orders from stdin", .writes), ("create table x (a int)", .writes),
            ("alter table x add b int", .writes),
            ("drop table x", .writes), ("truncate orders", .writes), ("vacuum", .writes), ("lock orders", .writes),
            ("explain analyze delete from orders", .writes), ("fetch c", .writes), ("commit prepared 'x'", .writes),
            ("declare c cursor for select 1", .writes),
            ("begin", .transactionControl), ("start transaction isolation level serializable", .transactionControl),
            ("commit", .transactionControl), ("rollback to s", .transactionControl),
            ("savepoint s", .transactionControl),
            ("set transaction read only", .transactionControl),
            ("set transaction_isolation = 'serializable'", .transactionControl),
            ("create temp table x (a int)", .temporaryObjects), ("select 1 into temp x", .temporaryObjects),
            ("create temp view x as select 1", .temporaryObjects), ("create temp sequence x", .temporaryObjects),
            ("create temp table x as select 1", .temporaryObjects),
            ("create table pg_temp.x (a int)", .temporaryObjects),
            ("create type pg_temp.x as (a int)", .temporaryObjects),
            ("alter table x set schema pg_temp", .temporaryObjects),
            ("prepare x as select 1", .preparedStatements),
            ("prepare x as insert into orders values (1)", .preparedStatements),
            ("execute x", .preparedStatements), ("deallocate x", .preparedStatements),
            ("deallocate all", .preparedStatements), ("create table x as execute y", .preparedStatements),
            ("explain execute y", .preparedStatements), ("explain analyze execute y", .preparedStatements),
            ("explain create table x as execute y", .preparedStatements),
            ("create temp table x as execute y", .opaque),
            ("prepare x as select set_config('a', 'b', false)", .opaque), ("do $$ begin end $$", .opaque),
            ("call x()", .opaque), ("load 'x'", .opaque),
            ("select set_config('a', null, false)", .opaque), ("select set_config('role', 'b', false)", .opaque),
            ("select set_config('a', 'b', false), 1", .opaque), ("select set_config('a', 'b' || 'c', false)", .opaque),
            ("select set_config('a', 'b', false) from orders", .opaque),
            ("select pg_catalog.set_config('transaction_isolation', 'b', true)", .opaque), ("select setter()", .opaque),
            ("insert into orders select set_config('a', 'b', false)::int", .opaque),
            ("declare c cursor for select setter()", .opaque), ("select nosuch()", .opaque), ("selec 1", .opaque),
            ("select * from v", .opaque), ("select 1 order by query_to_xml('x', true, true, '')", .opaque),
            ("explain analyze select setter()", .opaque), ("set time zone interval '1' hour", .opaque),
            ("set x from current", .opaque),
            ("update pg_settings set setting = 'x' where name = 'search_path'", .opaque),
            ("with u as (update pg_settings set setting = 'x' returning *) select * from u", .opaque),
            ("select setting from pg_settings", .readOnly),
            ("insert into orders values (1); select 1", .writes),
            ("begin; insert into orders values (1); commit", .writes),
            ("set a.b = 1; insert into orders values (1)", .opaque), ("", .readOnly),
        ] as [(String, SessionEffect)])
    func effect(_ sql: String, _ expected: SessionEffect) {
        #expect(analyze(sql).effect == expected)
    }

    /// What a server process knows for its session alone.
    @Test(
        arguments: [
            ("select currval('s')", .sequences), ("insert into orders values (pg_catalog.lastval())", .sequences),
            ("select 1; select setseed(0.5)", .randomSeed),
            ("select setseed(0.5), lastval()", [.randomSeed, .sequences]),
            ("select nextval('s')", []), ("select * from currval", []),
        ] as [(String, SessionDraws)])
    func draws(_ sql: String, _ expected: SessionDraws) {
        #expect(analyze(sql).draws == expected)
    }

    @Test(
        arguments: [
            ("set a.b = 'x'", [.set(name: "a.b", value: "x", local: false)]),
            ("SET TimeZone TO 'Europe/Berlin'", [.set(name: "timezone", value: "Europe/Berlin", local: false)]),
            ("set time zone 'UTC'", [.set(name: "timezone", value: "UTC", local: false)]),
            ("set local work_mem = 64", [.set(name: "work_mem", value: "64", local: true)]),
            ("set x.y = -5", [.set(name: "x.y", value: "-5", local: false)]),
            ("set x.y = 1.5", [.set(name: "x.y", value: "1.5", local: false)]),
            ("select set_config('TimeZone', 'UTC', false)", [.set(name: "timezone", value: "UTC", local: false)]),
            ("SELECT pg_catalog.set_config('a.b', '', true)", [.set(name: "a.b", value: "", local: true)]),
            ("set x.y = on", [.set(name: "x.y", value: "on", local: false)]),
            (
                "set search_path = a, \"B c\", 'd\"e'",
                [.set(name: "search_path", value: "\"a\", \"B c\", \"d\"\"e\"", local: false)]
            ),
            ("set schema 'x'", [.set(name: "search_path", value: "\"x\"", local: false)]),
            ("set names 'utf8'", [.set(name: "client_encoding", value: "utf8", local: false)]),
            ("set datestyle = iso, mdy", [.set(name: "datestyle", value: "iso, mdy", local: false)]),
            ("set role x", [.set(name: "role", value: "x", local: false)]), ("reset role", [.reset(name: "role")]),
            (
                "set session authorization x",
                [.set(name: "session_authorization", value: "x", local: false), .reset(name: "role")]
            ),
            ("reset session authorization", [.reset(name: "session_authorization"), .reset(name: "role")]),
            ("set a.b to default", [.reset(name: "a.b")]), ("reset a.b", [.reset(name: "a.b")]),
            ("reset all", [.resetAll]),
            ("set local a.b to default", [.set(name: "a.b", value: "DEFAULT", local: true)]),
            ("discard all", [.discardAll]),
            (
                "set session characteristics as transaction isolation level serializable, read only",
                [
                    .set(name: "default_transaction_isolation", value: "serializable", local: false),
                    .set(name: "default_transaction_read_only", value: "1", local: false),
                ]
            ),
            (
                "set a.b = 1; set a.c = 2",
                [.set(name: "a.b", value: "1", local: false), .set(name: "a.c", value: "2", local: false)]
            ),
        ] as [(String, [SettingChange])])
    func settings(_ sql: String, _ expected: [SettingChange]) {
        #expect(analyze(sql).effect == .settings(expected))
    }

    @Test func eachStatementHasItsEffect() {
        let effects = analyze("begin; set local a.b = 1; select 1; commit").effects
        #expect(
            effects == [
                .transactionControl, .settings([.set(name: "a.b", value: "1", local: true)]), .readOnly,
                .transactionControl,
            ])
    }

    @Test func temporarySchemaInThePath() {
        #expect(analyze("create table x (a int)", searchPath: "pg_temp, public").effect == .temporaryObjects)
        #expect(analyze("select 1", searchPath: "pg_temp, public").effect == .readOnly)
    }

    @Test func unparsedTextsKeepTheirEffect() {
        let long = "insert into orders values " + Array(repeating: "(1, 'x;y')", count: 10_000).joined(separator: ", ")
        #expect(analyze(long).effect == .writes)
        #expect(rule(long) == .statementTooLong)
        #expect(analyze(long + " returning setter()").effect == .opaque)
        #expect(analyze(long + "; set a.b = 1").effect == .opaque)
        // Newer syntax than the grammar's.
        #expect(analyze("select json_object('a': 1) from orders").effect == .readOnly)
        #expect(analyze("select id from orders where payload is json and vol(1) = 1").effect == .writes)
    }

    @Test func withoutACatalogOnlyKnownFunctionsAreHarmless() {
        #expect(analyze("select version(), now()", catalog: nil).effect == .readOnly)
        #expect(analyze("select mine()", catalog: nil).effect == .opaque)
        #expect(analyze("select 1", catalog: nil).effect == .readOnly)
    }
}
