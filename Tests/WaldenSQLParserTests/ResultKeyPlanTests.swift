import Testing
import WaldenCore

@testable import WaldenDependency

/// Tables with replica-identity keys of every kind, beside those of the catalog under test.
private let keyCatalog = CatalogText.snapshot(
    catalogRelations + "\n" + """
        R;17000;app;items;r;p;d;1;0;0;;
        C;17000;id;1;20;-1;1;0;1
        C;17000;grp;2;23;-1;1;0
        C;17000;tags;3;1009;-1;1;0
        R;17010;app;pairs;r;p;i;1;0;0;;
        C;17010;grp;1;23;-1;1;0
        C;17010;b;2;25;-1;1;0;1
        C;17010;a;3;2950;-1;1;0;1
        R;17020;app;whole;r;p;f;1;0;0;;
        C;17020;id;1;20;-1;1;0
        C;17020;grp;2;23;-1;1;0
        R;17030;app;dated;r;p;d;1;0;0;;
        C;17030;id;1;1082;-1;1;0;1
        C;17030;grp;2;23;-1;1;0
        R;17040;app;domains;r;p;d;1;0;0;;
        C;17040;id;1;16400;-1;1;0;1
        C;17040;grp;2;23;-1;1;0
        R;17050;app;root;p;p;d;1;0;0;;17051,17052
        C;17050;id;1;20;-1;1;0
        C;17050;grp;2;23;-1;1;0
        R;17051;app;leaf1;r;p;d;1;0;0;17050;
        C;17051;id;1;20;-1;1;0;1
        C;17051;grp;2;23;-1;1;0
        R;17052;app;leaf2;r;p;d;1;0;0;17050;
        C;17052;id;1;20;-1;1;0;1
        C;17052;grp;2;23;-1;1;0
        R;17060;app;mixed;p;p;d;1;0;0;;17061,17062
        C;17060;id;1;20;-1;1;0
        C;17060;grp;2;23;-1;1;0
        R;17061;app;mixed1;r;p;d;1;0;0;17060;
        C;17061;id;1;20;-1;1;0;1
        C;17061;grp;2;23;-1;1;0
        R;17062;app;mixed2;r;p;i;1;0;0;17060;
        C;17062;id;1;20;-1;1;0
        C;17062;grp;2;23;-1;1;0;1
        R;17070;app;notes;r;p;d;1;0;0;;
        C;17070;note;1;23;-1;1;0;1
        C;17070;item;2;20;-1;1;0
        C;17070;grp;3;23;-1;1;0
        """ + "\n" + catalogFunctions, searchPath: "app, public")

/// Which results show the keys of the rows they were made of.
@Suite struct ResultKeyPlanTests {
    /// `width: table(key@position …)`, `none`, or the refusal.
    private func keys(_ sql: String) -> String {
        switch analyze(sql, catalog: keyCatalog).verdict {
        case .uncacheable(let refusal): return "refused: \(refusal.rule.rawValue)"
        case .cacheable(let plan):
            guard let keys = plan.resultKeys else { return "none" }
            let tables = plan.tables.compactMap { table in
                table.resultKey.map { "\(name(table.relation))(\(positions(keys.keys[$0])))" }
            }
            return "\(keys.width): \(tables.joined(separator: " "))"
        }
    }

    private func name(_ relation: RelationID) -> String { keyCatalog.relation(relation)?.name ?? "?" }

    private func positions(_ key: [ResultKeyPlan.Column]) -> String {
        key.map { "\($0.reference.name)@\($0.position)" }.joined(separator: " ")
    }

    @Test(arguments: [
        ("select id, tags from items where grp = 3", "2: items(id@0)"),
        ("select * from items where grp = 3", "3: items(id@0)"),
        ("select i.* from items i where grp in (1, 2)", "3: items(id@0)"),
        ("select grp, id as number from items where grp > 3", "2: items(id@1)"),
        ("select x.b, x.a from items as x (a, b) where b = 3", "2: items(id@1)"),
        ("select tags, 1, items.id, app.items.grp from items where grp = 3", "4: items(id@2)"),
        ("select id, lower('x'), (select 1) from items where grp = 3", "3: items(id@0)"),
        ("select id from items where grp = 3 order by grp desc limit 10", "1: items(id@0)"),
        ("select id from items where grp = $1", "1: items(id@0)"),
        ("select id from items where grp = 3 order by grp fetch first 3 rows with ties", "1: items(id@0)"),
        ("select id, items from items where grp = 3", "2: items(id@0)"),
        ("select id from items where id = 1 or grp = 3", "1: items(id@0)"),
        ("select id from items where id > 1 and grp = 3", "1: items(id@0)"),
        ("select a, b from pairs where grp = 3", "2: pairs(a@0 b@1)"),
        ("select id from root where grp = 3", "1: root(id@0) leaf2(id@0) leaf1(id@0)"),
        ("select id from leaf1 where grp = 3", "1: leaf1(id@0) root(id@0)"),
    ])
    func shown(_ sql: String, _ expected: String) {
        #expect(keys(sql) == expected)
    }

    @Test(arguments: [
        "select distinct id from items where grp = 3", "select distinct on (id) id from items where grp = 3",
        "select id from items where grp = 3 group by id", "select max(id) from items where grp = 3",
        "select id from items where grp = 3 group by id having count(*) > 0",
        "select id from items where grp = 3 limit 5 offset 1",
        "select id, row_number() over (order by id) from items where grp = 3",
        "select id, sum(grp) over w from items where grp = 3 window w as (order by id)",
        "select id from items where grp = 3 order by abs(row_number() over (order by grp))",
        "select id from items where grp = 3 union all select id from items where grp = 4",
        "select id from (select id from items where grp = 3) s", "with i as (select * from items) select id from i",
        // The key is not shown, or not as it is.
        "select grp from items where grp = 3", "select id + 0 from items where grp = 3",
        "select id::text from items where grp = 3", "select (items).id from items where grp = 3",
        "select a from pairs where grp = 3", "select coalesce(id, 1) from items where grp = 3",
        // The key is not readable, or old rows come in full, or members have different keys.
        "select id from dated where grp = 3",
        "select id from whole where grp = 3", "select id, grp from mixed where id > 3 and grp = 3",
        // Twice.
        "select id from items where grp = 3 and id in (select id from items)",
        "select id, (select count(*) from items) from items where grp = 3",
        // It would tell nothing more.
        "select id from items", "select id from items where id = 5", "select id, grp from items where id in (1, 2)",
        "select id from items where id = 5 and grp = 3",
        "select id from items where id > 5 and lower('x') = 'x' or true",
    ])
    func notShown(_ sql: String) {
        #expect(keys(sql) == "none")
    }

    /// Parameters change nothing about where the keys stand.
    @Test func bindingHandsThePlanOn() throws {
        guard case .cacheable(let plan) = analyze("select id from items where grp = $1", catalog: keyCatalog).verdict
        else {
            Issue.record("not cacheable")
            return
        }
        let dependencies = try plan.bind([text("3")])
        #expect(dependencies.resultKeys?.width == 1)
        #expect(dependencies.tables.map(\.resultKey) == [0])
    }

    @Test func explained() {
        let explanation = Explanation(
            of: analyze("select id from items where grp = 3", catalog: keyCatalog), in: keyCatalog)
        #expect(explanation.text.contains("a row that leaves, by its key in the result: id"))
    }

    // MARK: Joins

    /// The keys of a query if each of its tables were selected by `grp`.
    private func joinKeys(_ sql: String) throws -> String {
        guard let query = parsedQuery(sql),
            let path = SearchPath(
                context: SessionContext(searchPath: nil, loginUser: "alice", user: "alice"), catalog: keyCatalog)
        else { return "unparsed" }
        var checker = QueryChecker(resolver: NameResolver(catalog: keyCatalog, path: path, user: "alice"))
        _ = try checker.check(query)
        let grp = ColumnReference(name: "grp", type: .int4, family: .integer)
        let predicate = PredicateTemplate(alternatives: [[TermTemplate(column: grp, test: .isNull)]])
        var finder = ResultKeyFinder(resolver: checker.resolver, tables: checker.tables)
        let tables = checker.tables
        guard let found = finder.plan(for: query, predicates: tables.map { _ in predicate }) else { return "none" }
        let parts = tables.indices.compactMap { index in
            found.keyOfTable[index].map { "\(tables[index].relation.name)(\(positions(found.plan.keys[$0])))" }
        }
        return "\(found.plan.width): \(parts.joined(separator: " "))"
    }

    @Test(arguments: [
        ("select i.id, n.note from items i join notes n on n.item = i.id", "2: items(id@0) notes(note@1)"),
        ("select note, id from items, notes where item = id", "2: items(id@1) notes(note@0)"),
        ("select * from items i cross join notes n", "6: items(id@0) notes(note@3)"),
        ("select n.*, i.id from items i, notes n", "4: items(id@3) notes(note@0)"),
        ("select n.note from items i, notes n", "1: notes(note@0)"),
        // What is missing from a nullable side may show as a row of the other.
        ("select i.id, n.note from items i left join notes n on n.item = i.id", "2: items(id@0)"),
        ("select i.id, n.note from items i right join notes n on n.item = i.id", "2: notes(note@1)"),
        ("select i.id, n.note from items i full join notes n on n.item = i.id", "none"),
        (
            "select i.id, n.note, p.a, p.b from (items i join notes n on n.item = i.id) left join pairs p on p.grp = i.grp",
            "4: items(id@0) notes(note@1)"
        ),
        (
            "select i.id, n.note, p.a, p.b from pairs p left join (items i join notes n on n.item = i.id) on p.grp = i.grp",
            "4: pairs(a@2 b@3)"
        ),
        (
            "select i.id from items i join lateral (select * from notes n where n.item = i.id limit 1) x on true",
            "1: items(id@0)"
        ),
        ("select i.id from items i where exists (select from notes n where n.item = i.id)", "1: items(id@0)"),
        ("select i.id, f from items i, generate_series(1, 2) f", "2: items(id@0)"),
        ("with x as (select note from notes) select i.id, x.note from items i, x", "2: items(id@0)"),
        // What a name or a star stands for is not certain.
        ("select * from items i, generate_series(1, 2) f", "none"),
        ("select id from items i, generate_series(1, 2) f", "none"),
        ("select grp, id, note from items join notes using (grp)", "none"),
        ("select id, note from items natural join notes", "none"),
        ("select x.id from (items i cross join notes n) x", "none"),
        // The same table twice, also as a member of its family.
        ("select a.id, b.id from items a join items b on a.grp = b.grp", "none"),
        ("select l.id from leaf1 l join root r on r.id = l.id", "none"),
    ])
    func joined(_ sql: String, _ expected: String) throws {
        #expect(try joinKeys(sql) == expected)
    }
}
