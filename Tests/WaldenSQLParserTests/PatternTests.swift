import Testing
import WaldenCore
import WaldenDependency

/// LIKE, rows, padded and floating values.
struct PatternTests {
    @Test(arguments: [
        ("status like 'ab%'", "status LIKE 'ab%'"), ("status like 'ab%%'", "status LIKE 'ab%'"),
        ("status like 'ab%c'", "status LIKE 'ab%'"), ("status like 'ab_'", "status LIKE 'ab%'"),
        ("status like 'ab'", "status = 'ab'"), ("status like '%ab'", "status IS NOT NULL"),
        ("status like '_'", "status IS NOT NULL"), ("status like ''", "status = ''"),
        ("status like E'a\\\\%b%'", "status LIKE 'a\\%b%'"), ("status like E'a\\\\_'", "status = 'a_'"),
        ("status like E'ab\\\\'", "every row"), ("status like 'a!%b%' escape '!'", "status LIKE 'a\\%b%'"),
        ("status like 'a!b%' escape ''", "status LIKE 'a!b%'"), ("status like 'a%' escape 'ü'", "every row"),
        ("status not like 'ab%'", "status IS NOT NULL"), ("status not like 'ab'", "status <> 'ab'"),
        ("not status like 'ab'", "status <> 'ab'"), ("not status not like 'ab%'", "status LIKE 'ab%'"),
        ("status ilike 'ab%'", "every row"), ("status similar to 'ab%'", "every row"),
        ("note like 'ab%'", "note LIKE 'ab%'"), ("region like 'ab%'", "every row"), ("code like 'ab%'", "every row"),
        ("who like 'ab%'", "every row"), ("lower(status) like 'ab%'", "every row"),
        ("status like 'ab%' and status like 'abc%'", "status LIKE 'abc%'"),
        ("status like 'ab%' and status like 'b%'", "no row"), ("status like 'ab%' and status = 'b'", "no row"),
        ("status like 'ab%' and status in ('abc', 'b')", "status = 'abc'"),
        ("status like 'ü%'", "status LIKE 'ü%'"),
    ])
    func patterns(_ condition: String, _ expected: String) {
        #expect(predicate(condition) == expected)
    }

    @Test(arguments: [
        ("status like $1", text("ab%"), "status LIKE 'ab%'"), ("status like $1", text("ab", .varchar), "status = 'ab'"),
        ("status like $1", text(nil), "no row"), ("status not like $1", text("ab%"), "status IS NOT NULL"),
        ("status like $1", text("ab%", .bpchar), "every row"), ("status like $1", text("ab\\"), "every row"),
        ("status like $1 escape '!'", text("ab%"), "every row"),
        ("status like $1 and id = $1", text("5"), "every row"),
        ("(id, customer_id) = (4, $1)", text("5"), "id = 4 AND customer_id = 5"),
        (
            "(id, customer_id) in ((1, 2), (4, $1))", text("5"),
            "(id = 1 AND customer_id = 2) OR (id = 4 AND customer_id = 5)"
        ),
    ])
    func parameters(_ condition: String, _ parameter: BoundParameter, _ expected: String) {
        #expect(predicate(condition, [parameter]) == expected)
    }

    @Test(arguments: [
        ("(id, status) <> (4, 'x')", "id <> 4 OR status <> 'x'"),
        ("not ((id, status) = (4, 'x'))", "id <> 4 OR status <> 'x'"),
        (
            "(id, status) not in ((1, 'a'), (2, 'b'))",
            "(id <> 1 AND id <> 2) OR (id <> 1 AND status <> 'b') OR "
                + "(status <> 'a' AND id <> 2) OR (status <> 'a' AND status <> 'b')"
        ),
        ("(id, status) < (4, 'x')", "every row"), ("(id, lower(status)) = (4, 'x')", "id = 4"),
        ("(orders.*, 1) = (orders.*, 2)", "every row"),
        ("code = 'ab '", "code = 'ab'"), ("code in ('ab', 'c  ')", "code IN ('ab', 'c')"),
        ("code <> 'ab'", "code <> 'ab'"),
        ("code < 'ab'", "every row"), ("code = 'ab '::text", "every row"), ("code = any ('{ab}')", "every row"),
        ("rate = 1.5", "rate = 1.5"), ("rate > '-0'", "rate > 0.0"), ("rate in (1, 2.5)", "rate IN (1.0, 2.5)"),
        ("rate < 'NaN'", "rate < nan"), ("rate < 'Infinity'", "rate < inf"), ("rate = '1e999'", "every row"),
        ("rate = '1e-999'", "every row"), ("rate = '0x10'", "every row"), ("not rate >= 0.1", "rate < 0.1"),
    ])
    func rowsAndValues(_ condition: String, _ expected: String) {
        #expect(predicate(condition) == expected)
    }

    @Test(arguments: [
        ("code = $1", text("ab  "), "code = 'ab'"), ("code = $1", text("ab", .text), "every row"),
        ("code = $1", binary(Array("ab ".utf8)), "code = 'ab'"), ("rate = $1", text("1.5"), "rate = 1.5"),
        ("rate = $1", binary([0x3F, 0xF8, 0, 0, 0, 0, 0, 0]), "rate = 1.5"),
        ("rate = $1", binary([0x3F, 0xC0, 0, 0], TypeID(700)), "rate = 1.5"),
        ("rate = $1", text("1.1", TypeID(700)), "rate = 1.100000023841858"),
        ("rate > $1", binary([0, 0, 0, 7], .int4), "rate > 7.0"),
    ])
    func typedParameters(_ condition: String, _ parameter: BoundParameter, _ expected: String) {
        #expect(predicate(condition, [parameter]) == expected)
    }
}
