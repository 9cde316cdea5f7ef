import Glibc
import WaldenTestKit

/// Disturbs the servers by a seeded schedule, one thing at a time.
struct Nemesis: ~Copyable {
    enum Deed: String, CaseIterable, Hashable, Sendable {
        case stallStandby
        case freezeStandby
        case killWalsender
        case stallAndKill
        case freezeWalsender
        case killClient
        case addColumn
        case dropColumn
        case createIndex
        case dropIndex
        case replaceView
        case grant
        case checkpoint
        case crash
    }

    private let stack: WaldenStack
    private let mayCrash: Bool
    private var generator: SeededGenerator
    private var client: SQLClient
    private(set) var deeds: [Deed: Int] = [:]

    init(_ stack: WaldenStack, seed: UInt64, mayCrash: Bool) throws {
        self.stack = stack
        self.mayCrash = mayCrash
        generator = SeededGenerator(seed: seed)
        client = try Self.connect(stack)
    }

    private static func connect(_ stack: WaldenStack) throws -> SQLClient {
        let client = try stack.direct()
        try client.query("SET lock_timeout = '3s'")
        return client
    }

    mutating func work(until isOver: Flag) throws {
        while !isOver.isRaised {
            pause(200...1500)
            let deed = Deed.allCases.randomElement(using: &generator) ?? .checkpoint
            if deed == .crash, !mayCrash || Int.random(in: 0..<3, using: &generator) > 0 { continue }
            deeds[deed, default: 0] += 1
            do {
                try perform(deed)
            } catch let error as SQLError where error.endsSession {
                client = try awaitValue("the primary answers", timeout: .seconds(60)) { try Self.connect(stack) }
            } catch is SQLError {
                // It lost a race against the writers, which is as good a disturbance.
            }
        }
    }

    private mutating func pause(_ milliseconds: ClosedRange<UInt32>) {
        usleep(UInt32.random(in: milliseconds, using: &generator) * 1000)
    }

    private mutating func perform(_ deed: Deed) throws {
        let table = Layout.tables.randomElement(using: &generator) ?? "plain"
        switch deed {
        case .stallStandby: try stalling { _ in }
        case .stallAndKill: try stalling { try $0.killWalsender() }
        case .freezeStandby:
            stack.cluster.standbys.first?.freeze()
            pause(50...800)
            stack.cluster.standbys.first?.thaw()
        case .killWalsender: try killWalsender()
        case .freezeWalsender: try freezeWalsender()
        case .killClient:
            try client.query(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE application_name = 'torture' ORDER BY random() LIMIT 1
                """)
        case .addColumn: try client.query("ALTER TABLE \(table) ADD COLUMN IF NOT EXISTS extra int DEFAULT 7")
        case .dropColumn: try client.query("ALTER TABLE \(table) DROP COLUMN IF EXISTS extra")
        case .createIndex: try client.query("CREATE INDEX IF NOT EXISTS \(table)_grp ON \(table) (grp)")
        case .dropIndex: try client.query("DROP INDEX IF EXISTS \(table)_grp")
        case .replaceView: try replaceView(of: table)
        case .grant: try client.query("GRANT SELECT ON \(table) TO PUBLIC; REVOKE SELECT ON \(table) FROM PUBLIC")
        case .checkpoint: try client.query("CHECKPOINT")
        case .crash: try stack.cluster.primary.restart(.immediate)
        }
    }

    /// Commits wait meanwhile: they have been streamed, and nobody sees them.
    private mutating func stalling(_ body: (inout Nemesis) throws -> Void) throws {
        guard let standby = stack.cluster.standbys.first else { return }
        standby.signal(SIGSTOP, toProcessesTitled: "walreceiver")
        defer { standby.signal(SIGCONT, toProcessesTitled: "walreceiver") }
        pause(50...600)
        try body(&self)
        pause(50...600)
    }

    private func killWalsender() throws {
        try client.query(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_type = 'logical'")
    }

    private mutating func freezeWalsender() throws {
        let pid = try client.query("SELECT active_pid FROM pg_replication_slots WHERE slot_type = 'logical'").integer
        guard let pid, pid > 1 else { return }
        kill(Int32(pid), SIGSTOP)
        pause(50...900)
        kill(Int32(pid), SIGCONT)
    }

    /// The same view by another text.
    private mutating func replaceView(of table: String) throws {
        let condition = ["id >= 0", "version >= 0", "id > -1 AND grp >= 0", "true"].randomElement(using: &generator)
        try client.query(
            "CREATE OR REPLACE VIEW \(table)_view AS SELECT id, grp, version FROM \(table) WHERE \(condition ?? "true")"
        )
    }
}
