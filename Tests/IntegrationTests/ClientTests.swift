import Testing
import WaldenTestKit

/// Scenario: programs that know nothing of Walden run through it. Risk: a proxy that only its own tests can talk to.
@Suite(.serialized) struct ClientTests {
    private static let stack = Result { try WaldenStack.start() }

    private func run(_ program: String, _ arguments: [String], input: String = "") throws -> ProcessOutput {
        let path = try PostgresInstallation.current.get().program(program)
        return try ProcessRunner.run([path] + arguments, input: input, timeout: .seconds(120))
    }

    private func pgbench(_ arguments: [String]) throws -> ProcessOutput {
        let walden = try Self.stack.get().walden
        let result = try run(
            "pgbench", ["-h", "127.0.0.1", "-p", "\(walden.port)", "-U", "postgres"] + arguments + ["postgres"])
        #expect(result.status.isSuccess, "\(arguments): \(result.transcript)")
        #expect(!result.transcript.lowercased().contains("error"), "\(arguments): \(result.transcript)")
        return result
    }

    @Test func psqlSaysTheSameThroughWalden() throws {
        let stack = try Self.stack.get()
        try stack.direct().query("CREATE TABLE shown (id int PRIMARY KEY, name text NOT NULL, at timestamptz)")
        let script = """
            \\d shown
            \\dt
            INSERT INTO shown VALUES (1, 'one', '2024-01-01 12:00+00');
            SELECT * FROM shown;
            \\gdesc
            \\x on
            SELECT * FROM shown;
            \\copy shown (id, name) FROM STDIN
            2\ttwo
            3\tthree
            \\.
            \\copy (SELECT id, name FROM shown ORDER BY id) TO STDOUT
            SELECT nothing FROM shown;
            \\set FETCH_COUNT 1
            SELECT id FROM shown ORDER BY id;
            BEGIN; SELECT 1 / 0; SELECT 1; ROLLBACK;
            SELECT 1 \\; SELECT 2;
            DO $$ BEGIN RAISE NOTICE 'notice'; END $$;
            SHOW application_name;
            DELETE FROM shown;
            """
        let direct = try run("psql", ["-X", "-a", stack.cluster.primary.dsn()], input: script + "\n")
        let proxied = try run("psql", ["-X", "-a", stack.walden.dsn()], input: script + "\n")
        #expect(proxied.status == direct.status)
        #expect(proxied.output == direct.output)
        #expect(proxied.errors == direct.errors)
        #expect(direct.output.contains("three"))
    }

    @Test func pgbenchInEveryMode() throws {
        _ = try pgbench(["-i", "-q", "-s", "1"])
        for mode in ["simple", "extended", "prepared"] {
            _ = try pgbench(["-n", "-M", mode, "-c", "4", "-j", "2", "-t", "100"])
            _ = try pgbench(["-n", "-M", mode, "-S", "-c", "4", "-j", "2", "-t", "500"])
        }
        let sums = """
            SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history)
               AND (SELECT sum(bbalance) FROM pgbench_branches) = (SELECT sum(delta) FROM pgbench_history)
            """
        #expect(try Self.stack.get().proxied().scalar(sums) == "t")
    }

    @Test func manyPreparedReadersWithAndWithoutCaching() throws {
        let stack = try Self.stack.get()
        _ = try pgbench(["-i", "-q", "-s", "1"])
        try stack.waitUntilCaching()
        let hits = try stack.hits {
            _ = try pgbench(["-n", "-M", "prepared", "-S", "-c", "64", "-j", "2", "-T", "5"])
        }
        // 100,000 accounts at random: few are read twice.
        #expect(hits > 10)

        var configuration = WaldenStack.Configuration()
        configuration.flags = ["--cache-enabled", "false"]
        let uncached = try WaldenStack.startWalden(configuration, before: stack.cluster)
        try uncached.waitUntilReady()
        let result = try run(
            "pgbench",
            [
                "-h", "127.0.0.1", "-p", "\(uncached.port)", "-U", "postgres", "-n", "-M", "prepared", "-S", "-c", "64",
                "-j", "2", "-T", "5", "postgres",
            ])
        #expect(result.status.isSuccess, "\(result.transcript)")
        #expect(try uncached.figures().hits == 0)
    }

    @Test func pgbenchPipelines() throws {
        let scratch = try Scratch()
        let script = """
            \\set id random(1, 1000)
            \\startpipeline
            SELECT abalance FROM pgbench_accounts WHERE aid = :id;
            SELECT bbalance FROM pgbench_branches WHERE bid = 1;
            UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :id;
            SELECT abalance FROM pgbench_accounts WHERE aid = :id;
            \\endpipeline
            """
        _ = try pgbench(["-i", "-q", "-s", "1"])
        let path = try scratch.write("pipeline.sql", script)
        _ = try pgbench(["-n", "-M", "extended", "-f", path, "-c", "4", "-j", "2", "-t", "200"])
        _ = try pgbench(["-n", "-M", "prepared", "-f", path, "-c", "4", "-j", "2", "-t", "200"])
    }

    @Test func psycopgRunsUnchanged() throws {
        let stack = try Self.stack.get()
        let folder = #filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.startIndex)
        let script = "\(folder)/Scripts/psycopg_application.py"
        for dsn in [stack.cluster.primary.dsn(), stack.walden.dsn(), stack.walden.dsn()] {
            let result = try ProcessRunner.run(["/usr/bin/python3", script, dsn], timeout: .seconds(60))
            #expect(result.output == "ok\n", "\(dsn): \(result.transcript)")
        }
        #expect(try stack.proxied().scalar("SELECT name FROM people WHERE id = 7") == "changed")
    }
}
