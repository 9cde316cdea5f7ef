import Testing
import WaldenCore

@testable import WaldenDependency

struct SearchPathTests {
    @Test(
        arguments: [
            ("public", ["public"]), ("\"$user\", public", ["$user", "public"]), ("a,b , C", ["a", "b", "c"]),
            ("\"A b\",\"c\"\"d\"", ["A b", "c\"d"]), ("", []), ("  ", []), ("\"\"", [""]), ("a b", nil), ("a,", nil),
            (",a", nil),
            ("\"a", nil), ("é", nil), ("\"é\"", ["é"]), ("a\"b", nil), (String(repeating: "a", count: 64), nil),
        ] as [(String, [String]?)])
    func identifiers(_ source: String, _ expected: [String]?) {
        #expect(SearchPath.identifiers(in: source) == expected)
    }

    private static let catalog = CatalogSnapshot(
        generation: 1,
        searchPaths: SearchPathDefaults(
            server: "\"$user\", public",
            settings: [
                .init(role: "bob", isForThisDatabase: false, value: "b"),
                .init(role: "bob", isForThisDatabase: true, value: "bd"),
                .init(role: "eve", isForThisDatabase: false, value: "e"),
                .init(role: nil, isForThisDatabase: true, value: "d"),
            ]),
        namespaces: ["alice", "public", "b", "bd", "d", "e", "pg_catalog"].map {
            NamespaceEntry(name: $0, isUsableByPublic: true, usableByOwner: nil)
        }, relations: [], types: [], functions: [], operators: [], casts: [])

    @Test(
        arguments: [
            (nil, "alice", "alice", ["pg_catalog", "d"]), (nil, "bob", "alice", ["pg_catalog", "bd"]),
            (nil, "eve", "eve", ["pg_catalog", "e"]),
            ("\"$user\", public", "bob", "alice", ["pg_catalog", "alice", "public"]),
            ("\"$user\", public", "bob", "bob", ["pg_catalog", "public"]),
            ("public, pg_catalog", "bob", "bob", ["public", "pg_catalog"]),
            ("public, public, nosuch", "bob", "bob", ["pg_catalog", "public"]), ("a b", "bob", "bob", nil),
        ] as [(String?, String, String, [String]?)])
    func effectivePath(_ path: String?, _ login: String, _ user: String, _ expected: [String]?) {
        let context = SessionContext(searchPath: path, loginUser: login, user: user)
        #expect(SearchPath(context: context, catalog: Self.catalog)?.schemas == expected)
    }
}

struct SpecialDatesTests {
    @Test(arguments: [
        ("now", true), ("NOW", true), (" now ", true), ("today 10:00", true), ("[today,)", true),
        ("{2024-01-01,Tomorrow}", true),
        ("yesterday", true), ("10now", true), ("now1", true), ("'now'", true), ("known", false), ("nowhere", false),
        ("nows", false),
        ("2024-01-01", false), ("", false), ("epoch", false), ("infinity", false), ("toda y", false),
        ("yesterdays", false),
        ("no\u{0}w", false), ("enow", false), ("é now é", true), ("TODAY", true), ("tomorro", false),
    ])
    func occur(_ text: String, _ expected: Bool) {
        #expect(SpecialDates.occur(in: text.utf8) == expected)
    }
}

struct ArrayReadingTests {
    @Test(
        arguments: [
            ("{}", []), ("{1}", ["1"]), ("{1,2}", ["1", "2"]), ("{\"a b\",c}", ["a b", "c"]),
            ("{\"a\\\"b\"}", ["a\"b"]),
            ("{\"\"}", [""]), ("{\"NULL\"}", ["NULL"]), ("{nul}", ["nul"]), ("{NULL}", nil), ("{null,1}", nil),
            ("{1,}", nil), ("{,1}", nil),
            ("{{1},{2}}", nil), ("[0:1]={1,2}", nil), ("{1 ,2}", nil), ("{a b}", nil), ("{\"a}", nil),
            ("{\"a\"b}", nil), ("1", nil), ("", nil),
            ("{", nil), ("{\\", nil), ("{1}}", nil),
        ] as [(String, [String]?)])
    func items(_ source: String, _ expected: [String]?) {
        let bytes = Array(source.utf8)
        #expect(ArrayReading.items(bytes.span.bytes)?.map { String(decoding: $0, as: UTF8.self) } == expected)
    }

    @Test func tooManyElementsTellNothing() {
        let bytes = Array("{\(Array(repeating: "1", count: 1001).joined(separator: ","))}".utf8)
        #expect(ArrayReading.items(bytes.span.bytes) == nil)
    }
}

struct SessionEffectTests {
    private static let set = SessionEffect.settings([.set(name: "a", value: "1", local: false)])

    @Test(
        arguments: [
            (.readOnly, .readOnly, .readOnly), (.readOnly, .writes, .writes), (.writes, .transactionControl, .writes),
            (.transactionControl, set, set), (set, .writes, .opaque),
            (set, .resetAllTwice, .settings([.set(name: "a", value: "1", local: false), .resetAll, .resetAll])),
            (.temporaryObjects, .writes, .temporaryObjects), (.preparedStatements, .writes, .preparedStatements),
            (.preparedStatements, .temporaryObjects, .temporaryObjects), (.opaque, .readOnly, .opaque),
            (.writes, .opaque, .opaque),
        ] as [(SessionEffect, SessionEffect, SessionEffect)])
    func union(_ first: SessionEffect, _ second: SessionEffect, _ expected: SessionEffect) {
        #expect(first.union(second) == expected)
        let effects = StatementAnalysis(effects: [first, second], verdict: .uncacheable(Refusal(.noTable, ""))).effect
        #expect(effects == expected)
    }
}

extension SessionEffect {
    fileprivate static let resetAllTwice = SessionEffect.settings([.resetAll, .resetAll])
}

struct LexicalScanTests {
    private func scan(_ sql: String) -> [ParsedStatement]? {
        let bytes = Array(sql.utf8)
        return LexicalScan.statements(in: bytes.span.bytes, refusal: Refusal(.unparsable, ""))
    }

    @Test(
        arguments: [
            ("select 1", [.readOnly]), ("  /* a /* b */ */ -- c\n select 1;", [.readOnly]), ("(select 1)", [.readOnly]),
            ("values (1)", [.readOnly]), ("with a as (select 1) select * from a", [.readOnly]),
            ("insert into t values ('a;b', $$;$$, $x$ $$ ; $x$, E'\\';', U&'\\0041', \"b;\"\"c\")", [.writes]),
            ("with a as (insert into t values (1) returning *) select 1", [.writes]),
            ("select 1 for update", [.writes]),
            ("select 1; insert into t values (1); ", [.readOnly, .writes]), ("copy t from stdin", [.writes]), ("", []),
            (";;", []),
            ("select 1 into t", nil), ("set a = 1", nil), ("select 1; do $$ x $$", nil), ("select 'a", nil),
            ("select \"a", nil),
            ("select $$a", nil), ("select /* a", nil), ("1", nil), ("create table t (a int)", nil),
            ("\"select\" 1", nil), ("+ 1", nil),
        ] as [(String, [SessionEffect]?)])
    func effects(_ sql: String, _ expected: [SessionEffect]?) {
        #expect(scan(sql)?.map(\.effect) == expected)
    }

    @Test func collectsNames() throws {
        let sql = "insert into t (a) select f(x), s.G (1), \"Q\"(2), count(*) from v where a <=> b and c in (1) or d||e"
        let statement = try #require(scan(sql)?.first)
        #expect(
            statement.functions == [
                QualifiedName(schema: nil, name: "t"), QualifiedName(schema: nil, name: "f"),
                QualifiedName(schema: "s", name: "g"), QualifiedName(schema: nil, name: "Q"),
                QualifiedName(schema: nil, name: "count"),
            ])
        #expect(statement.operators.map(\.name).sorted() == ["*", "<=>", "||"])
        #expect(statement.relations.contains(QualifiedName(schema: nil, name: "v")))
    }

    @Test func everyPrefixIsScanned() {
        let sql =
            "with a as (select $1, $x$y$x$, E'a\\'b', U&\"d\", /* c */ f(1.5e3)) insert into t select * from a -- z"
        for count in 0...sql.utf8.count { _ = scan(String(decoding: Array(sql.utf8.prefix(count)), as: UTF8.self)) }
    }
}
