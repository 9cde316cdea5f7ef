import Testing

@testable import WaldenDependency

@Suite struct AuditGradeTests {
    @Test(arguments: [
        ("SELECT a, b FROM t WHERE c = $1 ORDER BY a", AuditGrade.rows),
        ("SELECT count(*), lower(a) FROM t WHERE (a, b) IN (($1, $2))", .rows),
        ("SELECT a FROM t WHERE EXISTS (SELECT $1 FROM u WHERE u.a = t.a)", .rows),
        (#"SELECT "over", "limit" FROM "a(b" WHERE c = $1"#, .rows),
        ("SELECT a FROM t ORDER BY a LIMIT $1", .count),
        ("SELECT a FROM t OFFSET $1 FETCH FIRST $2 ROWS ONLY", .count),
        ("SELECT a FROM (SELECT a FROM t LIMIT $1) s", .none),
        ("SELECT array_agg(a) FROM t", .none),
        ("SELECT my_function(a) FROM t", .none),
        ("SELECT row_number() OVER (ORDER BY a) FROM t", .none),
        ("SELECT DISTINCT ON (a) a, b FROM t", .none),
        ("SELECT a::float8 FROM t", .none),
        ("SELECT CAST(a AS real) FROM t", .none),
        ("SELECT a FROM t WHERE b = …", .none),
        ("", .none),
    ])
    func whateverTheColumns(text: String, expected: AuditGrade) {
        #expect(AuditGrader.grade(text, columnsAreExact: true) == expected)
    }

    @Test(arguments: [
        "SELECT DISTINCT a FROM t", "SELECT a, sum(b) FROM t GROUP BY a", "SELECT max(a) FROM t",
        "SELECT a FROM t UNION SELECT a FROM u", "SELECT avg(a) FROM t HAVING count(*) > $1",
    ])
    func groupingNeedsColumnsWithoutTwins(text: String) {
        #expect(AuditGrader.grade(text, columnsAreExact: true) == .rows)
        #expect(AuditGrader.grade(text, columnsAreExact: false) == .none)
    }
}
