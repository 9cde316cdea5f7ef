import Testing
import WaldenTestKit

/// Scenario: `ALTER ROLE` or `ALTER DATABASE … SET` between the beginnings of two sessions of one user. Risk: one cache
/// key for two sessions that do not mean the same by one statement.
@Suite(.serialized) struct SessionDefaultsTests {
    private static let stack = Result {
        try WaldenStack.start(
            .init(
                schema: """
                    CREATE SCHEMA one;
                    CREATE SCHEMA two;
                    CREATE TABLE one.items (id int PRIMARY KEY, name text);
                    CREATE TABLE two.items (id int PRIMARY KEY, name text);
                    INSERT INTO one.items VALUES (1, 'one');
                    INSERT INTO two.items VALUES (1, 'two');
                    CREATE ROLE app LOGIN;
                    CREATE ROLE other LOGIN;
                    CREATE ROLE tenant;
                    GRANT tenant TO app;
                    CREATE TABLE ratios (id int PRIMARY KEY, ratio float8);
                    INSERT INTO ratios VALUES (1, 1.0 / 3);
                    GRANT SELECT ON ratios TO app;
                    GRANT USAGE ON SCHEMA one, two TO app, other;
                    GRANT SELECT ON one.items, two.items TO app, other;
                    ALTER ROLE app SET search_path = one
                    """))
    }

    private static let read = "SELECT name FROM items ORDER BY id"

    /// Each of the sessions reads in turns, often enough to be answered from memory.
    private func expect(_ sessions: [(SQLClient, String)], _ stack: WaldenStack) throws {
        for round in 1...4 {
            for (number, (session, expected)) in sessions.enumerated() {
                #expect(try session.query(Self.read).texts == [[expected]], "session \(number), round \(round)")
            }
        }
        for (session, expected) in sessions { #expect(try stack.warm(session, Self.read) == [[expected]]) }
    }

    @Test func olderAndNewerSessionsDoNotShare() throws {
        let stack = try Self.stack.get()
        let admin = try stack.direct()
        let older = try stack.proxied(user: "app")
        let silent = try stack.proxied(user: "app")
        try expect([(older, "one")], stack)

        try admin.query("ALTER ROLE app SET search_path = two")
        let newer = try stack.proxied(user: "app")
        try expect([(newer, "two"), (older, "one"), (silent, "one")], stack)

        // A session that began under a setting which has gone again.
        try admin.query("ALTER ROLE app SET search_path = one")
        try admin.query("ALTER ROLE other SET search_path = two")
        let between = try stack.proxied(user: "other")
        try admin.query("ALTER ROLE other SET search_path = one")
        let after = try stack.proxied(user: "other")
        try expect([(after, "one"), (between, "two"), (older, "one"), (newer, "two")], stack)

        // The dependencies of each are those of its own table.
        try admin.query("UPDATE two.items SET name = 'TWO'; UPDATE one.items SET name = 'ONE'")
        try stack.waitUntilApplied()
        let names: [(SQLClient, String)] = [(older, "ONE"), (newer, "TWO"), (between, "TWO"), (after, "ONE")]
        for (session, name) in names {
            try eventually("the change shows") { try session.query(Self.read).texts == [[name]] }
        }
        // DISCARD ALL goes back to what the session began with.
        try newer.query("SET search_path = one")
        #expect(try newer.query(Self.read).texts == [["ONE"]])
        try newer.query("DISCARD ALL")
        try expect([(newer, "TWO"), (older, "ONE")], stack)
        try admin.query("UPDATE two.items SET name = 'two'; UPDATE one.items SET name = 'one'")
    }

    @Test func theFirstRoleIsTheSessionsOwn() throws {
        let stack = try Self.stack.get()
        let admin = try stack.direct()
        let sql = "SELECT ratio FROM public.ratios WHERE id = 1"
        let older = try stack.proxied(user: "app")
        try stack.warm(older, sql)
        try admin.query("ALTER ROLE app SET role = tenant")
        let newer = try stack.proxied(user: "app")
        try stack.warm(older, sql)
        for _ in 0..<3 { #expect(throws: SQLError.self) { try newer.query(sql) } }
        try admin.query("ALTER ROLE app RESET role")
    }

    @Test func aReloadOfTheFileReachesAll() throws {
        let stack = try Self.stack.get()
        let admin = try stack.direct()
        let sql = "SELECT ratio FROM public.ratios WHERE id = 1"
        let follows = try stack.proxied(user: "app")
        try admin.query("ALTER ROLE app SET extra_float_digits = 1")
        let pinned = try stack.proxied(user: "app")
        try admin.query("ALTER ROLE app RESET extra_float_digits")
        for session in [follows, pinned] { #expect(try stack.warm(session, sql) == [["0.3333333333333333"]]) }

        try admin.query("ALTER SYSTEM SET extra_float_digits = -10")
        try admin.query("SELECT pg_reload_conf()")
        try eventually("the reload shows") { try follows.query(sql).texts == [["0.33333"]] }
        for _ in 0..<4 {
            #expect(try stack.warm(follows, sql) == [["0.33333"]])
            #expect(try stack.warm(pinned, sql) == [["0.3333333333333333"]])
        }
        try admin.query("ALTER SYSTEM RESET extra_float_digits")
        try admin.query("SELECT pg_reload_conf()")
        try eventually("the reload shows") { try follows.query(sql).texts == [["0.3333333333333333"]] }
    }
}
