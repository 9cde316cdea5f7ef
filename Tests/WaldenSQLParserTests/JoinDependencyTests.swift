import Testing
import WaldenCore
import WaldenDependency

/// What is found to be demanded of each table's rows where several tables, subqueries or scopes meet. Every rule stands
/// beside the case that looks like it and must not follow it.
struct JoinDependencyTests {
    /// The predicates alone, in the order in which the tables are named.
    private func predicates(_ sql: String, _ parameters: [BoundParameter] = []) -> String {
        do throws(Refusal) {
            return try plan(sql).bind(parameters).tables.map(\.predicate.description).joined(separator: "; ")
        } catch {
            return "refused: \(error.rule.rawValue)"
        }
    }

    @Test(arguments: [
        ("orders o join customers c on o.customer_id > c.id where o.id = 1 and c.vip", "id = 1; vip = true"),
        ("orders o, customers c where o.id = 1 and c.vip is null", "id = 1; vip IS NULL"),
        ("orders o join customers c on c.vip and o.id = 4", "id = 4; vip = true"),
        // An OR says of each table what all its branches say.
        (
            "orders o, customers c where o.id = 1 and c.id = 2 or o.id = 3 and c.id = 4",
            "id IN (1, 3); id IN (2, 4)"
        ),
        ("orders o, customers c where o.id = 1 or c.id = 2", "every row; every row"),
        ("orders o, customers c where not (o.id = 1 or c.id = 2)", "id <> 1; id <> 2"),
        ("orders o, customers c where not (o.id = 1 and c.id = 2)", "every row; every row"),
    ])
    func innerJoins(_ from: String, _ expected: String) {
        #expect(predicates("select 1 from \(from)") == expected)
    }

    @Test(arguments: [
        // WHERE on the preserved side, and on the other side if null fails it.
        ("left", "where o.id = 1", "id = 1; every row"),
        ("left", "where c.vip", "every row; vip = true"),
        ("left", "where c.vip is null", "every row; every row"),
        ("left", "where c.vip is null or c.vip", "every row; every row"),
        ("left", "where c.vip is not true", "every row; every row"),
        ("left", "where coalesce(c.vip, true)", "every row; every row"),
        ("left", "where c.vip is null and c.id = 3", "every row; vip IS NULL AND id = 3"),
        ("left", "where o.paid is null", "paid IS NULL; every row"),
        ("right", "where o.id = 1", "id = 1; every row"),
        ("right", "where o.paid is null", "every row; every row"),
        ("right", "where c.vip is null", "every row; vip IS NULL"),
        ("full", "where o.id = 1", "id = 1; every row"),
        ("full", "where o.paid is null", "every row; every row"),
        ("full", "where o.paid is null and c.vip is null", "every row; every row"),
        ("full", "where o.id = 1 and c.id > 2", "id = 1; id > 2"),
        ("full", "where o.id = 1 and c.vip is null", "id = 1; every row"),
        ("full", "where o.id = 1 or c.id = 2", "every row; every row"),
        ("inner", "where o.paid is null and c.vip is null", "paid IS NULL; vip IS NULL"),
        // With transform_null_equals, this is IS NULL.
        ("left", "where c.id = null", "every row; every row"),
    ])
    func whereOverOuterJoins(_ kind: String, _ filter: String, _ expected: String) {
        let on = "\(kind) join customers c on o.customer_id < c.id"
        #expect(predicates("select 1 from orders o \(on) \(filter)") == expected)
    }

    @Test(arguments: [
        ("inner", "o.id = 1 and c.vip is null", "id = 1; vip IS NULL"),
        ("left", "o.id = 1 and c.vip is null", "every row; vip IS NULL"),
        ("right", "o.paid is null and c.id = 2", "paid IS NULL; every row"),
        ("full", "o.id = 1 and c.id = 2", "every row; every row"),
        ("left", "false", "every row; no row"), ("right", "false", "no row; every row"),
    ])
    func conditionsOfJoins(_ kind: String, _ on: String, _ expected: String) {
        #expect(predicates("select 1 from orders o \(kind) join customers c on \(on)") == expected)
    }

    @Test(arguments: [
        // The nullable side is reached through rows of the other side, which WHERE restricts.
        (
            "orders o left join customers c on c.id = o.customer_id where o.customer_id = 7",
            "customer_id = 7; id = 7"
        ),
        (
            "orders o left join customers c on c.id = o.customer_id where o.customer_id between 1 and 5",
            "customer_id >= 1 AND customer_id <= 5; id >= 1 AND id <= 5"
        ),
        // Not the other way round, unless null fails the condition.
        ("orders o left join customers c on c.id = o.customer_id and c.id = 7", "every row; id = 7"),
        (
            "orders o left join customers c on c.id = o.customer_id where c.id = 7 or c.id is null",
            "every row; every row"
        ),
        ("orders o left join customers c on c.id = o.customer_id where c.id = 7", "customer_id = 7; id = 7"),
        // What WHERE says of the nullable side itself is not known of the rows that are joined to.
        (
            "orders o left join customers c on c.id = o.customer_id where (c.id is null or c.id = 3) and o.id = 1",
            "id = 1; every row"
        ),
        ("orders o full join customers c on c.id = o.customer_id where o.customer_id = 7", "customer_id = 7; id = 7"),
        ("orders o full join customers c on c.id = o.customer_id and c.id = 7", "every row; every row"),
        // Three tables: a strict condition makes each join below it an inner one, one that is not strict none.
        (
            "customers c left join orders o on o.customer_id = c.id left join plain p on p.id = o.id where p.a = 1",
            "every row; every row; a = 1"
        ),
        (
            "customers c left join orders o on o.customer_id = c.id left join plain p on p.id = o.id "
                + "where c.id = 1 and o.id = 2", "id = 1; customer_id = 1 AND id = 2; id = 2"
        ),
        (
            "customers c left join (orders o join plain p on p.id = o.id and p.a = 5) on o.customer_id = c.id "
                + "where c.id = 1", "id = 1; customer_id = 1; a = 5"
        ),
        (
            "customers c left join (orders o left join plain p on p.id = o.id and o.paid) on o.customer_id = c.id",
            "every row; every row; every row"
        ),
    ])
    func nestedOuterJoins(_ from: String, _ expected: String) {
        #expect(predicates("select 1 from \(from)") == expected)
    }

    @Test(arguments: [
        ("orders o, customers c where o.customer_id = c.id and c.id = 7", "customer_id = 7; id = 7"),
        ("orders o, customers c where o.customer_id = c.id and c.id in (7, 8)", "customer_id IN (7, 8); id IN (7, 8)"),
        ("orders o, customers c where o.customer_id = c.id and c.id > 7", "customer_id > 7; id > 7"),
        ("orders o, customers c where o.customer_id = c.id or c.id = 7", "every row; every row"),
        ("orders o, customers c where o.customer_id >= c.id and c.id = 7", "every row; id = 7"),
        ("orders o, customers c where not (o.customer_id = c.id) and c.id = 7", "every row; id = 7"),
        // Over three tables, and over integers of several widths.
        (
            "orders o, customers c, plain p where o.customer_id = c.id and p.id = c.id and o.customer_id = 7",
            "customer_id = 7; id = 7; id = 7"
        ),
        ("orders o, customers c where o.id = c.id and c.id = 7", "id = 7; id = 7"),
        // Numeric and integer compare, but are not read alike.
        ("orders o, customers c where o.total = c.id and c.id = 7", "every row; id = 7"),
        ("orders o, customers c where o.status = c.name and c.name = 'x'", "status = 'x'; name = 'x'"),
        ("orders o, customers c where o.note = c.name and c.name = 'x'", "note = 'x'; name = 'x'"),
        ("orders o, customers c where o.who = c.name and c.name = 'x'", "every row; name = 'x'"),
        // A collation that is not deterministic.
        ("orders o, customers c where o.region = c.name and c.name = 'x'", "every row; name = 'x'"),
        ("orders o, customers c where o.status collate \"C\" = c.name and c.name = 'x'", "every row; name = 'x'"),
    ])
    func classesOfEqualColumns(_ from: String, _ expected: String) {
        #expect(predicates("select 1 from \(from)") == expected)
    }

    @Test(arguments: [
        ("orders o join customers c using (id) where id = 7", "orders(id): id = 7; customers(id): id = 7"),
        ("orders o join customers c using (id) where c.id = 7", "orders(id): id = 7; customers(id): id = 7"),
        ("orders o left join customers c using (id) where id = 7", "orders(id): id = 7; customers(id): id = 7"),
        (
            "orders o left join customers c using (id) where c.vip is null and id = 7",
            "orders(id): id = 7; customers(id, vip): id = 7"
        ),
        (
            "orders o left join customers c using (id) where id is null",
            "orders(id): id IS NULL; customers(id): id IS NULL"
        ),
        (
            "orders o right join customers c using (id) where id is null",
            "orders(id): id IS NULL; customers(id): id IS NULL"
        ),
        ("orders o full join customers c using (id) where id = 7", "orders(id): every row; customers(id): every row"),
        (
            "orders o natural join customers c where vip and id = 7",
            "orders(id): id = 7; customers(id, vip): vip = true AND id = 7"
        ),
        (
            "orders o join customers c using (id) join plain p using (id) where p.id = 3",
            "orders(id): id = 3; customers(id): id = 3; plain(id): id = 3"
        ),
    ])
    func mergedColumns(_ from: String, _ expected: String) {
        #expect(summary("select 1 from \(from)") == expected)
    }

    @Test(arguments: [
        ("exists (select 1 from orders o where o.id = 3)", "every row; id = 3"),
        ("not exists (select 1 from orders o where o.id = 3)", "every row; id = 3"),
        ("c.id in (select customer_id from orders where paid)", "every row; paid = true"),
        ("c.id not in (select customer_id from orders where paid)", "every row; paid = true"),
        ("c.id = (select max(customer_id) from orders where paid)", "every row; paid = true"),
        ("c.id = any (array(select customer_id from orders where paid))", "every row; paid = true"),
        // The outer table's conditions hold wherever the subquery's value matters.
        ("c.id = 7 and exists (select 1 from orders o where o.customer_id = c.id)", "id = 7; customer_id = 7"),
        ("c.id = 7 and not exists (select 1 from orders o where o.customer_id = c.id)", "id = 7; customer_id = 7"),
        ("c.id = 7 or exists (select 1 from orders o where o.customer_id = c.id)", "every row; every row"),
        ("exists (select 1 from orders o where o.customer_id = c.id and c.vip)", "every row; every row"),
        (
            "c.id = 7 and (c.vip or exists (select 1 from orders o where o.customer_id = c.id))",
            "id = 7; customer_id = 7"
        ),
        ("not (c.id = 7 and exists (select 1 from orders o where o.customer_id = c.id))", "every row; every row"),
        ("c.id = 7 and exists (select 1 from orders o where o.customer_id = c.id or o.id = 1)", "id = 7; every row"),
        // The inner table's column hides the outer one.
        ("c.id = 7 and exists (select 1 from orders o where o.customer_id = id)", "id = 7; every row"),
        // Only rows that are equal can make IN true; all others can make NOT IN null.
        ("c.id = 7 and c.id in (select customer_id from orders)", "id = 7; customer_id = 7"),
        ("c.id = 7 and c.id not in (select customer_id from orders)", "id = 7; every row"),
        ("c.id = 7 and c.id in (select customer_id from orders) is not true", "id = 7; every row"),
        ("7 in (select customer_id from orders)", "every row; customer_id = 7"),
        ("5 < any (select customer_id from orders)", "every row; customer_id > 5"),
        ("5 < all (select customer_id from orders)", "every row; every row"),
        ("7 in (select customer_id from orders limit 3)", "every row; every row"),
        ("7 in (select customer_id from orders union select id from plain)", "every row; customer_id = 7; id = 7"),
        ("(7, 8) in (select customer_id, id from orders)", "every row; customer_id = 7 AND id = 8"),
        ("7 in (select max(customer_id) from orders)", "every row; every row"),
    ])
    func subqueries(_ filter: String, _ expected: String) {
        #expect(predicates("select 1 from customers c where \(filter)") == expected)
    }

    @Test(arguments: [
        (
            "select (select count(*) from orders o where o.customer_id = c.id) from customers c where c.id = 7",
            "id = 7; customer_id = 7"
        ),
        (
            "select (select count(*) from orders o where o.customer_id = c.id) from customers c where c.id = 7 or vip",
            "id = 7 OR vip = true; every row"
        ),
        (
            "select 1 from customers c left join plain p on p.id = c.id and exists (select 1 from orders o "
                + "where o.customer_id = p.id and p.a = 3) where c.id = 7", "id = 7; id = 7; customer_id = 7"
        ),
        (
            "select 1 from customers c left join plain p on exists (select 1 from orders o where o.customer_id = p.id) "
                + "where p.id = 7 or p.id is null", "every row; every row; every row"
        ),
        (
            "select s.id from customers c, lateral (select o.id from orders o where o.customer_id = c.id limit 3) s "
                + "where c.id = 7", "id = 7; customer_id = 7"
        ),
        (
            "select s.id from customers c left join lateral (select o.id from orders o where o.customer_id = c.id "
                + "limit 3) s on true where c.id = 7", "id = 7; customer_id = 7"
        ),
        (
            "select s.id from customers c left join lateral (select o.id from orders o where o.customer_id = c.id "
                + "limit 3) s on c.id = 7", "every row; customer_id = 7"
        ),
        ("select id from customers limit (select max(small) from orders where id = 3)", "every row; id = 3"),
        ("select id from orders where id = 1 union select id from plain where a = 2", "id = 1; a = 2"),
        ("select id from orders where id = 1 except select id from plain where a = 2", "id = 1; a = 2"),
    ])
    func scopes(_ sql: String, _ expected: String) {
        #expect(predicates(sql) == expected)
    }

    @Test(arguments: [
        ("(select id, paid from orders) s where s.id = 4", "id = 4"),
        ("(select id as x, paid from orders) s where s.x = 4", "id = 4"),
        ("(select id, paid from orders) s(y, z) where s.y = 4 and z", "id = 4 AND paid = true"),
        ("(select * from orders) s where s.id = 4", "id = 4"),
        ("(select id + 1 as id from orders) s where s.id = 4", "every row"),
        ("(select id from orders limit 5) s where s.id = 4", "every row"),
        ("(select id from orders offset 5) s where s.id = 4", "every row"),
        ("(select id from orders order by placed) s where s.id = 4", "id = 4"),
        ("(select id, row_number() over (order by id) from orders) s where s.id = 4", "every row"),
        ("(select distinct id, status from orders) s where s.id = 4", "id = 4"),
        ("(select distinct on (status) status, id from orders order by 1) s where s.id = 4", "every row"),
        ("(select distinct on (status) status, id from orders order by 1) s where s.status = 'x'", "status = 'x'"),
        ("(select status, count(*) as n from orders group by status) s where s.status = 'x'", "status = 'x'"),
        ("(select status as t, count(*) from orders group by t) s where s.t = 'x'", "status = 'x'"),
        ("(select status, count(*) from orders group by 1) s where s.status = 'x'", "status = 'x'"),
        ("(select status, count(*) as n from orders group by status) s where s.n = 4", "every row"),
        ("(select id, status from orders group by id) s where s.status = 'x'", "every row"),
        ("(select status, count(*) from orders group by rollup (status)) s where s.status is null", "every row"),
        (
            "(select status, count(*) from orders group by status, grouping sets ((paid), ())) s where s.status = 'x'",
            "every row"
        ),
        // Through two levels, and through set operations if both sides give the column as it is.
        ("(select x from (select id as x from orders) t) s where s.x = 4", "id = 4"),
        ("(select x from (select id as x from orders limit 2) t) s where s.x = 4", "every row"),
        ("(select id from customers union all select id from plain) s where s.id = 4", "id = 4; id = 4"),
        ("(select id from customers except select id from plain) s where s.id = 4", "id = 4; id = 4"),
        ("(select id from customers union all select id from orders) s where s.id = 4", "every row; every row"),
        ("(select id from customers union all (select id from plain limit 1)) s where s.id = 4", "id = 4; every row"),
        ("(select id from customers union all select id from plain limit 1) s where s.id = 4", "every row; every row"),
        // Null stands for a row of the subquery as well.
        (
            "plain p left join (select id, paid from orders) s on s.id = p.id where s.paid is null",
            "every row; every row"
        ),
        ("plain p left join (select id, paid from orders) s on s.id = p.id where p.id = 3", "id = 3; id = 3"),
        (
            "(select c.id, o.paid from customers c left join orders o on o.customer_id = c.id) s where s.paid is null",
            "every row; every row"
        ),
        (
            "(select c.id, o.paid from customers c left join orders o on o.customer_id = c.id) s where s.paid",
            "every row; paid = true"
        ),
        (
            "(select c.id, o.paid from customers c left join orders o on o.customer_id = c.id) s where s.id = 5",
            "id = 5; customer_id = 5"
        ),
    ])
    func conditionsPassThroughSubqueries(_ from: String, _ expected: String) {
        #expect(predicates("select 1 from \(from)") == expected)
    }

    @Test(arguments: [
        ("with w as (select id, paid from orders) select 1 from w where id = 4", "id = 4"),
        ("with w(k) as (select id from orders where paid) select 1 from w where k = 4", "id = 4 AND paid = true"),
        // Read twice, all of it counts.
        (
            "with w as (select id from orders where paid) select 1 from w where id = 4 and id in (table w)",
            "paid = true"
        ),
        ("with w as (select id from orders) select 1 from w a, w b where a.id = 4 and b.id = 4", "every row"),
        ("with w as (select id from orders where paid) select 1 from customers", "paid = true; every row"),
        (
            "with recursive w as (select id, a from plain where id = 1 union all select p.id, p.a from plain p "
                + "join w on p.a = w.id where p.b = 'x') select 1 from w where w.id = 9", "id = 1; b = 'x'"
        ),
        ("with recursive w as (select id from orders) select 1 from w where w.id = 9", "every row"),
    ])
    func commonTables(_ sql: String, _ expected: String) {
        #expect(predicates(sql) == expected)
    }

    @Test(arguments: [
        ("select status, count(*) from orders group by status having status = 'x'", "status = 'x'"),
        ("select status, count(*) from orders group by status having status = 'x' or count(*) > 3", "every row"),
        ("select status, count(*) from orders group by status having max(id) = 3", "every row"),
        ("select status, count(*) from orders group by rollup (status) having status is null", "every row"),
        ("select count(*) from orders having false", "every row"),
    ])
    func having(_ sql: String, _ expected: String) {
        #expect(predicates(sql) == expected)
    }

    @Test(arguments: [
        ("select id from (select * from orders) s", "orders(id): every row"),
        ("select id from (select id, status from orders) s where paid", "refused: unknown_column"),
        ("select s.id from (select o.* from orders o) s", "orders(id): every row"),
        ("select id from (select distinct id, paid from orders) s", "orders(id, paid): every row"),
        ("select id from (select id, paid from orders order by placed) s", "orders(id, paid, placed): every row"),
        ("select s from (select id, paid from orders) s", "orders(id, paid): every row"),
        (
            "select id from (select id, paid from orders union select id, true from plain) s",
            "orders(id, paid): every row; plain(id): every row"
        ),
        (
            "select 1 from customers where exists (select * from orders where paid)",
            "customers(): every row; orders(paid): paid = true"
        ),
        (
            "select 1 from customers where id in (select id from orders)",
            "customers(id): every row; orders(id): every row"
        ),
        ("with w as (select * from orders) select id from w", "orders(id): every row"),
        ("with w as (select * from orders) select w.id, v.paid from w, w v", "orders(id, paid): every row"),
        ("select count(*) from (select id, paid from orders) s", "orders(): every row"),
        ("select lower(x) from (select status as x, note from orders) s", "orders(status): every row"),
        (
            "select id from customers natural join (select id, paid from orders) s",
            "customers(id): every row; orders(id): every row"
        ),
        ("select row(c.*) from customers c", "customers(id, name, vip): every row"),
        ("select count(s.*) from (select id, paid from orders) s", "orders(id, paid): every row"),
        // Under new names they are the same columns.
        ("select x from (select id, paid from orders) s (x)", "orders(id): every row"),
        ("select paid from (select id, paid from orders) s (x)", "orders(paid): every row"),
        ("with w (x, y) as (select id, paid from orders) select y from w", "orders(paid): every row"),
        ("with w (x, y) as (select id, paid from orders) select z from w v (z)", "orders(id): every row"),
        ("select x from (select id, paid from orders) s (x, y) where y", "orders(id, paid): paid = true"),
    ])
    func columnsThatSubqueriesPassOn(_ sql: String, _ expected: String) {
        #expect(summary(sql) == expected)
    }

    @Test func userOperatorsMakeNoClasses() throws {
        func shown(_ path: String) -> String? {
            let sql = "select 1 from app.orders o left join app.customers c on c.id = o.customer_id where c.id = 7"
            guard case .cacheable(let plan) = analyze(sql, searchPath: path).verdict else { return nil }
            return (try? plan.bind([]))?.tables.map(\.predicate.description).joined(separator: "; ")
        }
        #expect(shown("app") == "customer_id = 7; id = 7")
        #expect(shown("app, shadow") == "every row; every row")
    }

    @Test func parametersReachEveryMember() {
        let sql = "select 1 from orders o join customers c on c.id = o.customer_id where c.id = $1"
        #expect(predicates(sql, [text("7")]) == "customer_id = 7; id = 7")
        #expect(predicates(sql, [text(nil)]) == "no row; no row")
        #expect(predicates(sql, [text("x")]) == "every row; every row")
        // The place in another scope gives the parameter another type, so neither is certain.
        let other = "select 1 from orders o where o.customer_id = $1 and exists (select 1 from plain where b = $1)"
        #expect(predicates(other, [text("7")]) == "every row; every row")
    }

    @Test func manyTablesAndConditionsAreBounded() throws {
        let tables = (0..<300).map { "plain p\($0)" }.joined(separator: ", ")
        let conditions = (0..<300).map { "p\($0).id = p\(($0 + 1) % 300).id and p\($0).a = \($0)" }
            .joined(separator: " and ")
        let found = try plan("select 1 from \(tables) where \(conditions)").bind([]).tables
        #expect(found.count == 300)
        #expect(found[0].predicate.description == "a = 0")
        #expect(found[299].predicate == .everyRow)
    }
}
