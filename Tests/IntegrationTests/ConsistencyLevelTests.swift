import Testing
import WaldenTestKit

/// Scenario: somebody else writes past Walden, and a session reads through it at a level that it has chosen. Risk: a hit
/// older than the level allows, or a session that never comes back to the cache.
@Suite(.serialized) struct ConsistencyLevelTests {
    private static let stack = Result {
        try WaldenStack.start(
            .init(
                schema: """
                    CREATE TABLE counters (id int PRIMARY KEY, value int NOT NULL);
                    INSERT INTO counters VALUES (1, 0), (2, 0), (3, 0);
                    CREATE TABLE wide (id int, part int);
                    INSERT INTO wide SELECT n, n % 7 FROM generate_series(1, 100000) AS n;
                    ANALYZE
                    """))
    }
    private static let rounds = 200

    private func read(_ id: Int, _ hint: String = "") -> String { "SELECT \(hint)value FROM counters WHERE id = \(id)" }

    /// The session sees a commit at the primary, by a statement that is never cached; what it has seen, hits show too.
    @Test func whatASessionHasSeenItNeverUnsees() throws {
        let stack = try Self.stack.get()
        let writer = try stack.direct()
        let session = try stack.proxied()
        try stack.warm(session, read(1))
        for round in 1...Self.rounds {
            try writer.query("UPDATE counters SET value = \(round) WHERE id = 1")
            #expect(try session.query(read(1, "clock_timestamp(), ")).texts.first?.last == "\(round)")
            #expect(try session.query(read(1)).texts == [["\(round)"]], "round \(round)")
        }
        // And then it hits again.
        #expect(try stack.warm(session, read(1)) == [["\(Self.rounds)"]])
    }

    @Test(arguments: ["SET", "hint", "option"])
    func strictShowsEveryCommitBeforeTheRequest(way: String) throws {
        let stack = try Self.stack.get()
        let writer = try stack.direct()
        let option = "options='-c walden.consistency=strict'"
        let session = try way == "option" ? stack.walden.connect(option) : stack.proxied()
        if way == "SET" { try session.query("SET walden.consistency = 'strict'") }
        let sql = read(2, way == "hint" ? "/* walden: strict */ " : "")
        let start = try writer.query(read(2)).integer ?? 0
        for round in 1...Self.rounds {
            try writer.query("UPDATE counters SET value = \(start + round) WHERE id = 2")
            #expect(try session.query(sql).integer == start + round, "round \(round)")
        }
    }

    /// A statement that takes longer than a look at the primary is worth the wait.
    @Test func strictHitsWhereItPays() throws {
        let stack = try Self.stack.get()
        let session = try stack.proxied()
        try session.query("SET walden.consistency = 'strict'")
        let sql = "SELECT part, count(*), sum(id) FROM wide GROUP BY part ORDER BY part"
        let truth = try stack.direct().query(sql).texts
        #expect(try stack.warm(session, sql) == truth)
        #expect(try stack.figures().json["proxy"]["waits"]["served"].int ?? 0 > 0)
        try stack.direct().query("UPDATE wide SET part = 8 WHERE id = 1")
        #expect(try session.query(sql).texts != truth)
    }

    @Test func hintsAndSettingsKeepStatementsOut() throws {
        let stack = try Self.stack.get()
        let session = try stack.proxied()
        try stack.warm(session, read(3))
        let hits = try stack.hits {
            for _ in 0..<20 { try session.query(read(3, "/* walden: nocache */ ")) }
            try session.query("SET walden.cache = off")
            for _ in 0..<20 { try session.query(read(3)) }
        }
        #expect(hits == 0)
        try session.query("RESET walden.cache")
        try stack.warm(session, read(3))
        let bypasses = try stack.figures().bypasses
        #expect(bypasses["nocache_hint"]?.int ?? 0 >= 20)
        #expect(bypasses["switched_off"]?.int ?? 0 >= 20)
    }
}
