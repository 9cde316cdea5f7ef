import Glibc
import Logging
import Synchronization
import Testing
import WaldenCore
import WaldenFailover
import WaldenPostgres
import WaldenSentinel
import WaldenTestKit

/// Scenario: a primary with two standbys and `ANY 1`, a client that writes without pause, and the primary dies in one way
/// or another. Risk: an acknowledged write that is nowhere, one that is there twice, or a cluster that writes nothing more.
@Suite(.serialized) struct SentinelTests {
    @Test(.timeLimit(.minutes(3))) func aKilledPrimaryIsReplacedAndNothingIsLost() throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        try scene.cluster.primary.kill()
        let promoted = try scene.awaitFailover()
        try scene.awaitFollower(of: promoted)
        try scene.writeSome()
        let outage = try scene.judge(on: promoted)
        print("sentinel: kill -9 of the whole primary, outage \(outage)")
        #expect(outage < .seconds(20))
    }

    @Test(.timeLimit(.minutes(3))) func aFrozenPrimaryAcknowledgesNothingOnceItIsBack() throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try scene.writeSome()
        // A client of its own, past the proxy, whose commit is under way while the primary is frozen.
        let direct = try scene.cluster.primary.connect()
        try direct.query("SET application_name = 'past the proxy'")
        scene.cluster.primary.freeze()
        try direct.begin("INSERT INTO writes VALUES (0)")
        let promoted = try scene.awaitFailover()
        scene.cluster.primary.thaw()
        // It runs again, has written the commit, and waits for a quorum that it has no more.
        let witness = try scene.cluster.primary.connect()
        try eventually("the old primary waits for a quorum in vain") {
            let waits =
                "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = 'past the proxy'"
            return try witness.query(waits).rows.count == 1
        }
        try scene.awaitFollower(of: promoted)
        try scene.writeSome()
        #expect(direct.isBusy, "the old primary acknowledged a commit after the promotion")
        #expect(try witness.query("SELECT FROM pg_stat_replication").rows.isEmpty)
        let outage = try scene.judge(on: promoted)
        print("sentinel: SIGSTOP of the whole primary, outage \(outage)")
        #expect(outage < .seconds(20))
        #expect(try promoted.connect().scalar("SELECT count(*) FROM writes WHERE id = 0") == "0")
    }

    /// Before the point of no return all is undone and begun anew; past it the second sentinel goes on.
    @Test(.timeLimit(.minutes(3)), arguments: [FailoverState.sever, .promote, .opening])
    func aSentinelEndedAtARecordGoesOnFromIt(_ state: FailoverState) throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let first = try scene.startSentinel()
        try scene.writeSome()
        // Asked on its own thread: the record follows, and nothing after the orders of that state.
        scene.proxy.onNote { note in if note.to == state { first.stop() } }
        try scene.cluster.primary.kill()
        try eventually("the sentinel comes to \(state.rawValue)") { scene.proxy.notes.contains { $0.to == state } }
        first.stop()
        // It died in the middle of a record as well: that one was never spoken of.
        try Files.write(#"{"at":1,"rec"#.utf8, to: scene.journalPath, appending: true)
        let second = try scene.startSentinel()
        defer { second.stop() }
        let promoted = try scene.awaitFailover()
        try scene.awaitFollower(of: promoted)
        try scene.writeSome()
        let outage = try scene.judge(on: promoted)
        print("sentinel: ended in \(state.rawValue), outage with its restart \(outage)")
        #expect(throws: SentinelError.self, "a second one at once") { try scene.makeSentinel() }
        second.stop()
        try Files.write("{}\n".utf8, to: scene.journalPath, appending: true)
        let refusal = try #require(throws: SentinelError.self) { try scene.makeSentinel() }
        #expect(refusal.description.contains("of \(scene.journalPath) cannot be read"), "\(refusal)")
        let terms = Set(scene.proxy.notes.filter { $0.to == .hold }.map(\.term))
        #expect(terms.count == (state == .sever ? 2 : 1), "\(terms)")
    }
}

/// A cluster, its sentinel and a writer whose connections the test's own proxy decides about.
final class SentinelScene: Sendable {
    let cluster: Cluster
    let proxy: WriterProxy
    private let writer: BackgroundThread<Void>
    private let writes: WriteLedger
    private let names: [String]

    init() throws {
        cluster = try Cluster.start(Cluster.Configuration())
        let client = try cluster.primary.connect()
        try client.query(Files.text("\(Self.tree)/sql/sentinel.sql"))
        try client.query("CREATE TABLE writes (id bigint NOT NULL)")
        try cluster.addStandby("standby1")
        try cluster.addStandby("standby2")
        try client.query("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (standby1, standby2)'")
        try client.query("SELECT pg_reload_conf()")
        try eventually("commits wait for a quorum") {
            try client.query("SELECT FROM pg_stat_replication WHERE sync_state = 'quorum'").rows.count == 2
        }
        names = ["primary", "standby1", "standby2"]
        let servers = [cluster.primary] + cluster.standbys
        proxy = WriterProxy(primary: .configuredPrimary)
        writes = WriteLedger()
        let (proxy, writes) = (proxy, writes)
        writer = try BackgroundThread { try write(to: servers, through: proxy, ledger: writes) }
    }

    private static let tree = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }

    var servers: [PostgresServer] { [cluster.primary] + cluster.standbys }

    var journalPath: String { "\(cluster.scratch.path)/sentinel/journal" }

    func makeSentinel() throws -> Sentinel {
        let nodes = try zip(names, servers).enumerated().map { index, pair in
            SentinelConfiguration.Node(
                id: NodeID(index), name: pair.0, dsn: try DSN(pair.1.dsn(user: "walden_sentinel")),
                upstream: pair.1.dsn(database: "replication"))
        }
        var configuration = SentinelConfiguration(nodes: nodes, directory: "\(cluster.scratch.path)/sentinel")
        configuration.timings.cooldown = .seconds(1)
        var logger = Logger(label: "sentinel")
        logger.logLevel = getenv("WALDEN_SENTINEL_LOG") == nil ? .error : .info
        return try Sentinel.make(configuration, logger: logger)
    }

    func startSentinel() throws -> Sentinel {
        let sentinel = try makeSentinel()
        try sentinel.start(proxy)
        try eventually("the sentinel is steady", timeout: .seconds(40)) { proxy.notes.last?.to == .steady }
        return sentinel
    }

    /// Some more writes are acknowledged.
    func writeSome() throws {
        let before = writes.count
        try eventually("200 more writes are acknowledged", timeout: .seconds(60)) { writes.count >= before + 200 }
    }

    func awaitFailover() throws -> PostgresServer {
        let node = try awaitValue("another node is opened", timeout: .seconds(60)) { () -> NodeID? in
            let (primary, isHeld) = proxy.serving
            return primary != .configuredPrimary && !isHeld ? primary : nil
        }
        return servers[node.index]
    }

    func awaitFollower(of promoted: PostgresServer) throws {
        let other = cluster.standbys.first { $0.name != promoted.name }
        let client = try promoted.connect()
        try eventually("the other standby follows the new primary") {
            try client.scalar("SELECT string_agg(application_name, ',') FROM pg_stat_replication") == other?.name
        }
        #expect(try client.scalar("SELECT pg_is_in_recovery()") == "f")
        let rule = try client.scalar("SHOW synchronous_standby_names") ?? ""
        #expect(rule.hasPrefix("ANY 1 (\"primary\", \"standby"), "\(rule)")
    }

    /// Ends the writer and compares its ledger with the table; the longest time between two acknowledgements.
    func judge(on promoted: PostgresServer) throws -> Duration {
        proxy.end()
        try writer.join()
        let found = try promoted.connect().query("SELECT id, count(*) FROM writes GROUP BY id").texts
        let counts = Dictionary(
            uniqueKeysWithValues: found.compactMap { row -> (Int, Int)? in
                guard let id = row[0].flatMap({ Int($0) }), let count = row[1].flatMap({ Int($0) }) else { return nil }
                return (id, count)
            })
        let lost = writes.acknowledged.filter { counts[$0] == nil }
        let twice = counts.filter { $0.value != 1 }.keys.sorted()
        #expect(lost.isEmpty, "acknowledged and lost: \(lost)")
        #expect(twice.isEmpty, "executed twice: \(twice)")
        #expect(writes.acknowledged.count > 300)
        return writes.longestGap
    }

    func end() {
        proxy.end()
        cluster.end()
    }
}

/// What clients were told, and when.
final class WriteLedger: Sendable {
    private struct State {
        var ids: [Int] = []
        var last: Instant?
        var gap = Duration.zero
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.ids.count } }
    var acknowledged: [Int] { state.withLock { $0.ids } }
    var longestGap: Duration { state.withLock { $0.gap } }

    func acknowledge(_ id: Int) {
        let now = MonotonicClock.now()
        state.withLock { state in
            state.ids.append(id)
            if let last = state.last { state.gap = max(state.gap, now.elapsed(since: last)) }
            state.last = now
        }
    }
}

/// The sentinel's delegate: one door to the primary of the highest term, and whether it is open.
final class WriterProxy: SentinelDelegate {
    private struct State {
        var term = Term.first
        var primary: NodeID
        var isHeld = false
        /// Rises whenever connections are to be closed.
        var generation = 0
        var isEnded = false
        var notes: [FailoverNote] = []
        var onNote: (@Sendable (FailoverNote) -> Void)?
    }

    private let state: Mutex<State>

    init(primary: NodeID) {
        state = Mutex(State(primary: primary))
    }

    var serving: (primary: NodeID, isHeld: Bool) { state.withLock { ($0.primary, $0.isHeld) } }
    var generation: Int { state.withLock { $0.generation } }
    var isEnded: Bool { state.withLock { $0.isEnded } }
    var notes: [FailoverNote] { state.withLock { $0.notes } }

    func end() {
        state.withLock { $0.isEnded = true }
    }

    func noted(_ note: FailoverNote) {
        let onNote = state.withLock { state in
            state.notes.append(note)
            return state.onNote
        }
        onNote?(note)
    }

    func onNote(_ body: @escaping @Sendable (FailoverNote) -> Void) {
        state.withLock { $0.onNote = body }
    }

    func carryOut(_ order: Order, answer: @escaping @Sendable (StepOutcome) -> Void) {
        let outcome = state.withLock { state -> StepOutcome in
            guard order.term >= state.term else { return .failed("term \(order.term) is over") }
            switch order.step {
            case .hold: state.isHeld = true
            case .raiseTerm: state.term = order.term
            case .closeConnections: state.generation += 1
            case .release:
                state.primary = order.primary
                state.isHeld = false
            case .drain, .beginEpoch, .createSlot: break
            case .fenceHook, .rejoin, .sever, .follow, .setSynchronousNames, .promote, .checkpoint:
                return .refused("not the proxy's")
            }
            return .done
        }
        answer(outcome)
    }
}

/// One write after the other, each with a number of its own, none ever repeated.
private func write(to servers: [PostgresServer], through proxy: WriterProxy, ledger: WriteLedger) throws {
    var client: SQLClient?
    var generation = 0
    var id = 0
    while !proxy.isEnded {
        let (primary, isHeld) = proxy.serving
        if proxy.generation != generation { client = nil }
        guard !isHeld else {
            usleep(500)
            continue
        }
        generation = proxy.generation
        do {
            let session = try client ?? servers[primary.index].connect()
            client = session
            id += 1
            try session.begin("INSERT INTO writes VALUES (\(id))")
            // The proxy closes connections to a server that does not answer; what became of the write is not known then.
            while session.isBusy, proxy.generation == generation, !proxy.isEnded { usleep(200) }
            guard !session.isBusy, proxy.generation == generation else {
                client = nil
                continue
            }
            try session.finish()
            ledger.acknowledge(id)
        } catch {
            client = nil
            usleep(1_000)
        }
    }
}
