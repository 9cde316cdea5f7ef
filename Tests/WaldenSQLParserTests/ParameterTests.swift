import Testing
import WaldenCore
import WaldenDependency

/// Parameters of the extended protocol: typed and untyped, in text and in binary form.
struct ParameterTests {
    @Test(
        arguments: [
            ("id = $1", text("5"), "id = 5"), ("id = $1", text("5", .int4), "id = 5"),
            ("id = $1", text("5", .int8), "id = 5"),
            ("id = $1", binary([0, 0, 0, 0, 0, 0, 0, 5]), "id = 5"),
            ("id = $1", binary([0, 0, 0, 5], .int4), "id = 5"),
            ("id = $1", binary([0, 0, 0, 5]), "every row"), ("id = $1", text("5", .numeric), "id = 5"),
            ("id = $1", text("5.5", .numeric), "no row"), ("id = $1", text("5", .text), "every row"),
            ("id = $1", text(nil), "no row"), ("id = $1", text("x"), "every row"), ("id <> $1", text("5"), "id <> 5"),
            ("$1 > id", text("5"), "id < 5"), ("id = $1::int", text("5"), "id = 5"),
            ("id = $1::int", text("5", .text), "id = 5"), ("id = $1::int", text("5", .numeric), "every row"),
            ("small = $1", binary([0, 5]), "small = 5"),
            ("id in ($1, 3)", text("5"), "every row"), ("id in ($1, '3')", text("5"), "id IN (3, 5)"),
            ("customer_id in ($1, 3)", text("5"), "customer_id IN (3, 5)"),
            ("id between $1 and 9", text("5"), "id <= 9"),
            ("customer_id between $1 and 9", text("5"), "customer_id >= 5 AND customer_id <= 9"),
            ("id = any ($1)", text("{3,1}"), "id IN (1, 3)"), ("id = any ($1::int8[])", text("{3,1}"), "id IN (1, 3)"),
            ("id = any ($1)", text("{3,1}", TypeID(1007)), "id IN (1, 3)"),
            ("id = any ($1)", text("{{3},{1}}"), "every row"),
            ("id = any ($1)", text(nil), "no row"),
            (
                "id = any ($1)",
                binary([
                    0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7,
                ]), "id = 7"
            ),
            ("status = $1", text("open"), "status = 'open'"),
            ("status = $1", binary(Array("open".utf8)), "status = 'open'"),
            ("status = $1", text("open", .varchar), "status = 'open'"), ("note = $1", text("x", .text), "note = 'x'"),
            ("note = $1", text("x"), "note = 'x'"), ("who = $1", text(String(repeating: "x", count: 70)), "every row"),
            ("kind = $1", text("sad"), "kind = 'sad'"), ("total > $1", text("1.50"), "total > 1.5"),
            ("total > $1", text("1.5", TypeID(701)), "every row"),
            ("total = $1", binary([0, 0, 0, 7], .int4), "total = 7"),
            ("due = $1", text("2024-02-29"), "due = '2024-02-29'"),
            ("due = $1", binary([0, 0, 0, 1]), "due = '2000-01-02'"),
            ("at = $1", text("2024-02-29", .date), "at = '2024-02-29 00:00:00'"),
            ("paid = $1", binary([1]), "paid = true"),
            ("placed = $1", text("2024-02-29 00:00:00"), "every row"),
            ("token = $1", binary(Array(repeating: 0, count: 15)), "every row"),
            ("id = $1 or customer_id = $1", text("5"), "every row"),
            ("id = $1 or o = $1 or id = 3", text("5"), "every row"),
            ("id = $1 and id > $1", text("5"), "no row"), ("lower(status) = $1 and id = 3", text("x"), "id = 3"),
        ] as [(String, BoundParameter, String)])
    func one(_ condition: String, _ parameter: BoundParameter, _ expected: String) {
        #expect(predicate(condition, [parameter]) == expected)
    }

    /// `$1` is a date by its first place, so the time of day would be cut off before the second comparison.
    @Test func parameterWithTwoTypesIsUnknown() {
        #expect(predicate("due = $1 or at = $1", [text("2024-02-29 10:00:00")]) == "every row")
        #expect(predicate("at = $1", [text("2024-02-29 10:00:00")]) == "at = '2024-02-29 10:00:00'")
        #expect(predicate("at = $1 and coalesce(at, $1) is null", [text("2024-02-29 10:00:00")]) == "every row")
        #expect(predicate("at = $1::date", [text("2024-02-29 10:00:00")]) == "every row")
    }

    @Test(
        arguments: [
            ("select id from orders where placed > $1", text("today"), true),
            ("select id from orders where placed > $1", text("NOW", .timestamptz), true),
            ("select id from orders where placed > $1", text("2024-01-01 00:00+00"), false),
            ("select id from orders where placed > $1::date", text("yesterday"), true),
            ("select id from orders where due = any ($1)", text("{2024-01-01,tomorrow}"), true),
            ("select id from orders where status = $1", text("today"), false),
            ("select id from orders where status like $1", text("%now%"), false),
            ("select id from orders where id = $1 limit $2", text("5"), false),
            ("select to_char(placed, $1) from orders", text("now"), true),
            ("select id from orders where opening > $1", text("10:00", TypeID(1266)), true),
            ("select id from orders where due > $1", binary([0x6E, 0x6F, 0x77, 0], .date), false),
        ] as [(String, BoundParameter, Bool)])
    func specialDates(_ sql: String, _ parameter: BoundParameter, _ isRefused: Bool) throws {
        let plan = try plan(sql)
        let outcome = Result { () throws(Refusal) in try plan.bind([parameter, text("1")]) }
        switch outcome {
        case .success: #expect(!isRefused)
        case .failure(let refusal): #expect(isRefused && refusal.rule == .specialDate)
        }
    }

    @Test func catalogNamesAreRefused() throws {
        let plan = try plan("select id from orders where o = $1")
        #expect(throws: Refusal.self) { try plan.bind([text("orders", TypeID(2205))]) }
        #expect(throws: Never.self) { try plan.bind([text("5")]) }
    }

    @Test func missingParametersAreRefused() throws {
        let plan = try plan("select id from orders where id = $1 and small = $3")
        #expect(plan.parameterCount == 3)
        #expect(throws: Refusal.self) { try plan.bind([text("1"), text("2")]) }
        #expect(
            try plan.bind([text("1"), text("2"), text("3")]).tables[0].predicate.description == "id = 1 AND small = 3")
    }
}
