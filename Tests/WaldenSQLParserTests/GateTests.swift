import Testing
import WaldenDependency

/// Which statements are let through, and by which rule the others are refused.
struct GateTests {
    @Test(arguments: [
        "select * from orders",
        "select count(*) from orders",
        "table customers",
        "select id from orders order by placed desc limit 10 offset 5",
        "select distinct status from orders",
        "select distinct on (status) status, id from orders order by status, id",
        "select status as s, count(*) from orders group by s having count(*) > 1 order by s",
        "select count(*) from orders group by rollup(status), grouping sets ((paid), ())",
        "select o.id, c.name from orders o join customers c on c.id = o.customer_id",
        "select o.id from orders o left join customers using (id)",
        "select o.id from orders o natural join customers",
        "select j.id from (orders o cross join customers c) as j",
        "select x.name from orders o, lateral (select name from customers where id = o.customer_id) x",
        "with w as (select id from orders) select * from w, customers",
        "with recursive w(n) as (select id from customers union all select n + 1 from w where n < 9) table w",
        "select id from orders union select id from customers order by 1",
        "select id from orders except (values (1), (2))",
        "select exists (select 1 from customers where id = o.customer_id) from orders o",
        "select id from orders where id in (select id from customers)",
        "select array(select id from customers), (select max(id) from customers) from orders",
        "select sum(id) over (partition by status order by id), row_number() over w from orders window w as ()",
        "select string_agg(status, ',' order by id) filter (where paid) from orders",
        "select percentile_cont(0.5) within group (order by rate) from orders",
        "select case when paid then 'a' else 'b' end, coalesce(status, ''), nullif(id, 1), greatest(1, id) from orders",
        "select row(id, status), array[id], tags[1], tags[1:2], -id, id % 2, payload->>'x' from orders",
        "select date_trunc('day', placed), to_char(placed, 'YYYY'), extract(year from placed) from orders",
        "select date(placed), placed::date, at::timestamptz, age(placed, placed) from orders",
        "select placed at time zone 'UTC' from orders",
        "select * from orders, generate_series(1, 3) g where g = id",
        "select * from orders, unnest(tags) with ordinality as t(tag, n)",
        "select * from orders, rows from (generate_series(1, 2), generate_series(1, 3)) as g(a, b)",
        "select imm(customer_id) from orders",
        "select orders from orders",
        "select o.* from orders o",
        "select 'x'::mood, '5'::int, '{1,2}'::int[], date '2024-01-01' from orders",
        "select status from orders where status = 'today' and note in ('now', 'x') and status like '%now%'",
        "select id from orders where opening > '10:00'",
        "select count(*) from odd",
    ])
    func passes(_ sql: String) {
        #expect(rule(sql) == nil)
    }

    @Test(
        arguments: [
            ("", .notASelect), ("select 1; select 2", .severalStatements), ("selec 1", .unparsable),
            ("insert into orders values (1)", .notASelect), ("show all", .notASelect), ("begin", .notASelect),
            ("explain select * from orders", .notASelect), ("copy orders to stdout", .notASelect),
            ("select id from orders for update", .lockingClause),
            ("select * from (select id from orders for share) s", .lockingClause),
            ("select id into x from orders", .selectInto),
            ("with d as (delete from orders returning *) select * from d", .dataModifyingCTE),
            ("select id from orders tablesample system (1)", .tablesample),
            ("select 1", .noTable), ("values (1), (2)", .noTable), ("select * from generate_series(1, 2)", .noTable),
        ] as [(String, Refusal.Rule)])
    func refusesByKind(_ sql: String, _ expected: Refusal.Rule) {
        #expect(rule(sql) == expected)
    }

    @Test(
        arguments: [
            ("fast", .unlogged), ("far", .foreign), ("v", .view), ("seq", .sequence),
            ("secret", .rowSecurity), ("hidden", .notPublished), ("filtered", .notPublished),
            ("partial", .notPublished),
            ("nothing", .replicaIdentityNothing), ("nosuch", .unknownRelation), ("pg_class", .systemRelation),
            ("pg_catalog.pg_class", .systemRelation), ("other.orders", .unknownRelation),
        ] as [(String, Refusal.Rule)])
    func refusesRelation(_ name: String, _ expected: Refusal.Rule) {
        #expect(rule("select 1 from \(name)") == expected)
        #expect(rule("select 1 from orders where exists (select 1 from \(name))") == expected)
    }

    @Test(
        arguments: [
            ("now()", .function), ("random()", .function), ("age(placed)", .function), ("txid_current()", .function),
            ("current_setting('x')", .function), ("statement_timestamp()", .function), ("version()", .function),
            ("set_config('a', 'b', false)", .function), ("nextval('seq')", .function), ("nosuch(1)", .function),
            ("stab(1)", .function), ("vol(1)", .function), ("total(customer_id)", .function),
            ("pg_backend_pid()", .function), ("jsonb_populate_record(null::orders, payload)", .cast),
            ("query_to_xml('select 1', false, false, '')", .function), ("timetz(placed)", .specialDate),
            ("opening at time zone 'utc'", .function), ("status %% status", .operatorUnknown),
            ("id <<>> 1", .operatorUnknown),
            ("current_date", .currentValue), ("current_timestamp(3)", .currentValue), ("localtime", .currentValue),
            ("current_user", .currentValue), ("session_user", .currentValue), ("current_schema", .currentValue),
            ("system_user", .currentValue),
            ("date(status)", .cast), ("status::timestamp", .cast), ("status::date[]", .cast),
            ("(status || '')::time", .cast),
            ("'10:00'::timetz", .specialDate), ("'x'::regclass", .cast), ("status::regclass", .cast),
            ("5::positive", .cast), ("'(1,2)'::pair", .cast), ("'5'::nosuch", .cast),
            ("ctid", .systemColumn), ("orders.xmin", .systemColumn), ("tableoid", .systemColumn),
            ("nosuch", .unknownColumn), ("c.id", .unknownColumn), ("xmlelement(name x)", .unsupportedSyntax),
            ("(payload).now", nil),
        ] as [(String, Refusal.Rule?)])
    func refusesExpression(_ expression: String, _ expected: Refusal.Rule?) {
        #expect(rule("select \(expression) from orders") == expected)
        #expect(rule("select id from orders where (\(expression)) is null") == expected)
        #expect(rule("select id from orders order by (\(expression))") == expected)
    }

    @Test(arguments: [
        "placed > 'today'", "placed > 'NOW'", "due = 'Yesterday'", "at < 'tomorrow'", "placed > timestamptz 'now'",
        "due = 'today'::date", "due between '2024-01-01' and 'today'", "due in ('2024-01-01', 'tomorrow')",
        "due = any ('{2024-01-01,today}')", "'[today,)'::daterange @> due", "due = coalesce(due, 'today')",
        "placed > 'today 10:00'", "due = date('now')",
    ])
    func refusesSpecialDates(_ condition: String) {
        #expect(rule("select id from orders where \(condition)") == .specialDate)
    }

    @Test(
        arguments: [
            ("select tz from odd", .specialDate),
            ("select 1 from (select * from (select id, tz from odd) s) t where tz = '10:00'", .specialDate),
            ("select id from odd where tz = '10:00'", .specialDate),
            ("select rel from odd", .dataType), ("select * from odd", .specialDate),
            ("select odd from odd", .specialDate),
            ("select pr from odd", .dataType), ("select dom from odd", nil),
        ] as [(String, Refusal.Rule?)])
    func refusesTypes(_ sql: String, _ expected: Refusal.Rule?) {
        #expect(rule(sql) == expected)
    }

    @Test(
        arguments: [
            ("select * from dup", "public, app", nil), ("select id from plain2", "public, closed", nil),
            // Whether the session may use the first schema is not known.
            ("select id from plain2", "closed, public", .ambiguousName),
            ("select id from plain2", "closed", nil), ("select id from plain2", "nosuch", .unknownRelation),
            ("select * from orders", "public", .unknownRelation), ("select * from app.orders", "", nil),
            // A user's function or operator in sight.
            ("select lower(status) from app.orders", "app", nil),
            ("select lower(status) from app.orders", "app, shadow", .function),
            ("select lower(status) from app.orders", "shadow, pg_catalog", .function),
            ("select pg_catalog.lower(status) from app.orders", "shadow", nil),
            ("select id from app.orders", "a b", .ambiguousName),
            ("select id from app.orders", "\"$user\", public", nil),
        ] as [(String, String, Refusal.Rule?)])
    func resolvesBySearchPath(_ sql: String, _ path: String, _ expected: Refusal.Rule?) {
        #expect(rule(sql, searchPath: path) == expected)
    }

    @Test func commonTablesShadowRelations() {
        #expect(summary("with hidden as (select id from orders) select id from hidden") == "orders(id): every row")
        #expect(rule("with a as (select 1 from hidden), hidden as (select 1) select * from a") == .notPublished)
        #expect(rule("select 1 from orders where exists (with v as (select 1) select * from v)") == nil)
        #expect(rule("with v as (select 1) select * from app.v") == .view)
    }

    @Test func nothingIsCacheableWithoutACatalog() {
        guard case .uncacheable(let refusal) = analyze("select * from orders", catalog: nil).verdict else {
            Issue.record("cacheable without a catalog")
            return
        }
        #expect(refusal.rule == .catalogUnknown)
    }

    @Test func explanationsHoldNoLiterals() {
        for sql in [
            "select 'secret' from orders where placed > 'now secret'", "select 'secret", "select secret('secret')",
        ] {
            guard case .uncacheable(let refusal) = analyze(sql).verdict else { continue }
            #expect(!refusal.explanation.contains("'secret"))
            #expect(!refusal.explanation.contains("now secret"))
        }
    }
}
