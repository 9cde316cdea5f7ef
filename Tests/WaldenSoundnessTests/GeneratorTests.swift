import Testing

@testable import walden_soundness

@Suite struct GeneratorTests {
    private static let seeds: Range<UInt64> = 0..<24

    private func queries(_ seed: UInt64) -> [GeneratedQuery] {
        let schema = SchemaGenerator.schema(seed: seed)
        return (0..<40).map { QueryWriter.query(schema, dice: Dice(seed: seed, .query, $0)) }
    }

    @Test(arguments: seeds) func aSeedRepeatsItsWorld(seed: UInt64) {
        let schema = SchemaGenerator.schema(seed: seed)
        let again = SchemaGenerator.schema(seed: seed)
        #expect(schema.statements == again.statements)
        #expect(ChangeGenerator.data(schema, seed: seed) == ChangeGenerator.data(again, seed: seed))
        #expect(queries(seed).map(\.sql) == queries(seed).map(\.sql))
        #expect(queries(seed).map(\.parameters) == queries(seed).map(\.parameters))
        for index in 0..<40 {
            let change = ChangeGenerator.change(schema, seed: seed, index: index)
            #expect(change == ChangeGenerator.change(again, seed: seed, index: index))
        }
        let views = (0..<4).map { QueryWriter.view(named: "v", schema, dice: Dice(seed: seed, .view, $0)) }
        #expect(views == (0..<4).map { QueryWriter.view(named: "v", again, dice: Dice(seed: seed, .view, $0)) })
    }

    @Test func seedsDiffer() {
        let worlds = Self.seeds.map { SchemaGenerator.schema(seed: $0).statements }
        #expect(Set(worlds).count == worlds.count)
        #expect(Set(queries(1).map(\.sql)).count > 35)
        #expect(Soundness.worldSeed(1, 2) != Soundness.worldSeed(1, 3))
        #expect(Soundness.worldSeed(1, 2) != Soundness.worldSeed(2, 2))
    }

    /// Another attempt at a place gives another query, and leaves the other places alone.
    @Test func attemptsDiffer() {
        let schema = SchemaGenerator.schema(seed: 3)
        let texts = (0..<20).map { QueryWriter.query(schema, dice: Dice(seed: 3, .query, 5, attempt: $0)).sql }
        #expect(Set(texts).count > 17)
    }

    @Test func everyKindOfStatementAndChangeComesUp() {
        let all = Self.seeds.flatMap { queries($0) }
        for shape in QueryShape.allCases where shape != .view {
            #expect(all.contains { $0.shape == shape }, "\(shape)")
        }
        for part in [
            " FULL JOIN ", " LEFT JOIN ", " USING (", " NATURAL ", "LATERAL", "NOT EXISTS", " NOT IN (SELECT",
            "RECURSIVE",
            " INTERSECT", "DISTINCT ON", " OVER (", " HAVING ", " LIMIT ", " OFFSET ", "CASE WHEN", "COALESCE",
            "IS NOT DISTINCT FROM", " BETWEEN ", "FROM ONLY", " IN (VALUES", "unnest(", "GROUPING SETS", " AS u ",
            "= ANY (", " LIKE ", "IS NOT TRUE", "ARRAY(SELECT", "FILTER (WHERE",
        ] {
            #expect(all.contains { $0.sql.contains(part) }, "\(part)")
        }
        #expect(all.contains { $0.parameters.contains(where: \.isBinary) })
        #expect(all.contains { $0.parameters.contains { $0.bytes == nil } })
        let changes = Self.seeds.flatMap { seed in
            let schema = SchemaGenerator.schema(seed: seed)
            return (0..<100).map { ChangeGenerator.change(schema, seed: seed, index: $0) }
        }
        for part in [
            "INSERT", "UPDATE", "DELETE", "TRUNCATE", "COPY", "MERGE", "ON CONFLICT", "SAVEPOINT", "ROLLBACK TO",
            "PREPARE TRANSACTION", "SET k = ", "SET id = ",
        ] {
            #expect(changes.contains { $0.text.contains(part) }, "\(part)")
        }
        let statements = Self.seeds.flatMap { SchemaGenerator.schema(seed: $0).statements }
        for part in [
            "BY LIST", "BY RANGE", "BY HASH", "INHERITS", "GENERATED", "IDENTITY FULL", "USING INDEX", "CASCADE",
            "EXTERNAL", "PRIMARY KEY (id, k)",
        ] {
            #expect(statements.contains { $0.contains(part) }, "\(part)")
        }
    }

    @Test(arguments: [
        (0, "2000-01-01"), (-1, "1999-12-31"), (59, "2000-02-29"), (60, "2000-03-01"), (8766, "2024-01-01"),
        (8825, "2024-02-29"), (-36_524, "1900-01-01"),
    ])
    func datesAreThoseOfPostgreSQL(days: Int, text: String) {
        #expect(Calendar.date(days) == text)
    }

    @Test func timestampsHaveMicroseconds() {
        #expect(Calendar.timestamp(8766 * 86_400_000_000 + 3_600_000_001) == "2024-01-01 01:00:00.000001")
        #expect(Calendar.timestamp(0) == "2000-01-01 00:00:00")
    }
}
