import WaldenTestKit

/// Other clients of the same pool, who leave on a server session all that a session can hold: settings, statements
/// prepared under the names that scripts use, a role, a search path. Before each step of a script one of them queues
/// for the server, so that whoever is served next gets a session that somebody else has used.
final class Dirtier {
    private let port: Int
    private var client: ProtocolClient?
    private var owed = 0
    private var turn = 0
    /// Batches that were answered.
    private(set) var answered = 0

    init(port: Int) {
        self.port = port
    }

    /// Sends the next batch, unless the one before still waits for its server: then the script holds it.
    func dirty() throws {
        do {
            try settle()
            guard owed == 0 else { return }
            let client = try self.client ?? ProtocolClient(port: port)
            if self.client == nil {
                try client.start()
                self.client = client
            }
            let deed = Self.deeds[turn % Self.deeds.count]
            turn += 1
            try client.send(deed.bytes)
            if deed.leaves {
                try client.send(FrontendMessage.terminate)
                self.client = nil
            } else {
                owed = deed.answers
            }
        } catch {
            // Walden may refuse it for want of a server; the next turn begins anew.
            (client, owed) = (nil, 0)
        }
    }

    private func settle() throws {
        guard let client else { return }
        while owed > 0, client.hasInput {
            guard let message = try client.receiveUnlessClosed() else { throw TestKitError("it was sent away") }
            if message.tag == "Z" {
                owed -= 1
                if owed == 0 { answered += 1 }
            }
        }
    }

    private struct Deed {
        var bytes: [UInt8]
        var answers = 1
        /// Whether its client goes without having read the answer.
        var leaves = false

        init(_ sql: String, leaves: Bool = false) {
            bytes = FrontendMessage.query(sql)
            self.leaves = leaves
        }

        init(bytes: [UInt8], answers: Int) {
            self.bytes = bytes
            self.answers = answers
        }
    }

    private static let deeds: [Deed] = [
        Deed("SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; SET application_name = 'dirt'"),
        Deed("SET search_path = dirt; SET extra_float_digits = 0; SET bytea_output = 'escape'"),
        Deed(
            bytes: ["s", "p", "q", "a", "b", "walk"].flatMap {
                FrontendMessage.close(statement: $0) + FrontendMessage.parse("SELECT 'dirt'::text", name: $0)
            } + FrontendMessage.parse("SELECT 'dirt'") + FrontendMessage.bind() + FrontendMessage.sync, answers: 1),
        // In one write: a transaction left open would hold the server session that the script waits for.
        Deed(
            bytes: FrontendMessage.query("BEGIN; SET LOCAL statement_timeout = 77777; SAVEPOINT dirt; SELECT 1 / 0")
                + FrontendMessage.query("ROLLBACK"), answers: 2),
        Deed("SET ROLE reader; SET statement_timeout = 66666", leaves: true),
        Deed("SELECT set_config('search_path', 'dirt', false), set_config('work_mem', '65kB', false)", leaves: true),
        Deed("CREATE TEMP TABLE items (id text); PREPARE q AS SELECT 'dirt'; LISTEN news", leaves: true),
        Deed("SELECT pg_advisory_lock(4711); DECLARE c CURSOR WITH HOLD FOR SELECT 'dirt'", leaves: true),
        Deed("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SET client_min_messages = error", leaves: true),
        Deed("BEGIN; INSERT INTO copied VALUES (-1, 'dirt')", leaves: true),
        Deed("COPY copied FROM STDIN", leaves: true),
        Deed("SELECT repeat('dirt', 300000) FROM generate_series(1, 4)", leaves: true),
        Deed(
            bytes: FrontendMessage.parse("SELECT 1 / 0") + FrontendMessage.bind() + FrontendMessage.execute()
                + FrontendMessage.sync + FrontendMessage.query("RESET ALL"), answers: 2),
    ]
}
