import CBenchmark
import Glibc
import Synchronization
import WaldenTestKit

/// Five clients that write, each one row after the other as fast as they are acknowledged. The first is the one whose
/// pauses are measured.
///
/// A client whose session ends begins another one at once; when none can be had it tries again after a pause, for every try
/// takes processor time from the servers that are to take over. What became of a write that ended with an error is not asked.
final class FailoverLoad: Sendable {
    /// How clients reach the cluster.
    struct Address {
        var dsn: String
        /// For how long a client waits for an answer; nil: as long as the session stands.
        var patience: Duration?
    }

    struct Acknowledgement {
        let at: UInt64
        /// The port of the server that ran the statement: which server it was.
        let server: Int
    }

    private struct State {
        var measured: [Acknowledgement] = []
        var acknowledged: [Int] = []
        var errors: [String: Int] = [:]
    }

    static let schema = "CREATE TABLE writes (id bigint NOT NULL)"

    private static let writers = 5
    private static let stride = 1_000_000_000
    private static let retryMicroseconds: UInt32 = 50_000
    private static let steadySeconds = 1.0
    /// A writer that is this far from its last acknowledgement does not write steadily.
    private static let steadyGap = 0.25

    private let state = Mutex(State())
    private let isOver = Flag()
    private let threads: Mutex<[BackgroundThread<Void>]>

    init(_ address: Address) throws {
        threads = Mutex([])
        for writer in 0..<Self.writers {
            let thread = try BackgroundThread { [self] in self.write(address, as: writer) }
            threads.withLock { $0.append(thread) }
        }
    }

    private func write(_ address: Address, as writer: Int) {
        var client: SQLClient?
        var id = writer * Self.stride
        while !isOver.isRaised {
            id += 1
            do {
                let session = try client ?? connect(address)
                client = session
                let server = try session.query("INSERT INTO writes VALUES (\(id)) RETURNING inet_server_port()").integer
                let acknowledgement = Acknowledgement(at: bench_now(), server: server ?? 0)
                state.withLock { state in
                    state.acknowledged.append(id)
                    if writer == 0 { state.measured.append(acknowledgement) }
                }
            } catch {
                let kind = client == nil ? "connecting" : Self.kind(of: error)
                state.withLock { $0.errors[kind, default: 0] += 1 }
                if client == nil { usleep(Self.retryMicroseconds) }
                client = nil
            }
        }
    }

    private func connect(_ address: Address) throws -> SQLClient {
        let client = try SQLClient(address.dsn)
        if let patience = address.patience { client.timeout = patience }
        return client
    }

    private static func kind(of error: any Error) -> String {
        guard let error = error as? SQLError else { return "patience" }
        // libpq tells no SQLSTATE of an error that came with the end of the connection.
        let isInDoubt = error.message.contains("Whether the transaction has been committed is not known.")
        return error.sqlState ?? (isInDoubt ? "08007" : "connection")
    }

    // MARK: Waiting

    /// Until the measured writer has written for a second without a pause; the server that acknowledged last.
    func awaitSteadyWrites() throws -> Int {
        let begun = bench_now()
        return try awaitValue("the writer writes steadily", timeout: .seconds(60)) {
            steadyServer(since: begun) { _ in true }
        }
    }

    /// Until the measured writer has written for a second, without a pause, since that time; at which server.
    ///
    /// - Parameter other: Another one than this is meant. Nil: one that was killed and started again counts, too.
    func awaitWrites(since time: UInt64, notAt other: Int?, timeout: Duration) throws -> Int {
        try awaitValue("writes go on", timeout: timeout) {
            steadyServer(since: time) { $0.server != other }
        }
    }

    private func steadyServer(since begin: UInt64, where isMeant: (Acknowledgement) -> Bool) -> Int? {
        let now = bench_now()
        return state.withLock { state in
            guard let last = state.measured.last, Self.seconds(last.at, now) < Self.steadyGap else { return nil }
            var first = last
            for earlier in state.measured.reversed() {
                guard earlier.at > begin, isMeant(earlier), Self.seconds(earlier.at, first.at) < Self.steadyGap else {
                    break
                }
                first = earlier
            }
            return Self.seconds(first.at, last.at) >= Self.steadySeconds ? last.server : nil
        }
    }

    // MARK: Judging

    func end() throws {
        isOver.raise()
        for thread in threads.withLock({ $0 }) { try thread.join() }
    }

    /// Compares what the clients were told with the primary's table. To be asked after the end.
    func judge(since fault: UInt64, on primary: SQLClient) throws -> FailoverOutcome {
        let audit = try WriteAudit(acknowledged: state.withLock { $0.acknowledged }, on: primary)
        return state.withLock { state in
            FailoverOutcome(
                outage: Self.longestPause(state.measured, since: fault), errors: state.errors,
                lost: audit.lost.count, twice: audit.twice.count, writes: state.acknowledged.count)
        }
    }

    private static func longestPause(_ acknowledgements: [Acknowledgement], since fault: UInt64) -> Double {
        zip(acknowledgements, acknowledgements.dropFirst()).filter { $1.at > fault }.map { seconds($0.at, $1.at) }
            .max() ?? .infinity
    }

    private static func seconds(_ from: UInt64, _ to: UInt64) -> Double {
        to > from ? Double(to - from) / 1e9 : 0
    }
}
