import Synchronization
import WaldenCore
import WaldenPostgres

/// The threads that follow the primary: the stream of its changes and the looks at what is visible there. When another
/// node takes the role they end, and new ones begin there: nothing of the old primary is heard after that.
final class PrimaryServices: Sendable {
    private struct Pair {
        let node: NodeID
        let stream: ReplicationStream
        let prober: Prober
    }

    private struct State {
        var pair: Pair
        var isRunning = false
        var isStopped = false
    }

    private let state: Mutex<State>
    /// One change at a time.
    private let changing = Mutex<Void>(())
    private let make: @Sendable (NodeID) throws(PostgresError) -> (ReplicationStream, Prober)
    /// Called when the old pair has ended and the new one has not begun.
    private let changed: @Sendable (NodeID) -> Void

    init(
        at node: NodeID, make: @escaping @Sendable (NodeID) throws(PostgresError) -> (ReplicationStream, Prober),
        changed: @escaping @Sendable (NodeID) -> Void
    ) throws(PostgresError) {
        let (stream, prober) = try make(node)
        state = Mutex(State(pair: Pair(node: node, stream: stream, prober: prober)))
        self.make = make
        self.changed = changed
    }

    var node: NodeID { state.withLock { $0.pair.node } }
    var status: StreamStatus { state.withLock { $0.pair.stream }.status }

    func requestKeepalive() {
        state.withLock { $0.pair.stream }.requestKeepalive()
    }

    func requestProbe() {
        state.withLock { $0.pair.prober }.requestProbe()
    }

    func start() throws(PostgresError) {
        let pair = state.withLock { state in
            state.isRunning = true
            return state.pair
        }
        try Self.start(pair)
    }

    private static func start(_ pair: Pair) throws(PostgresError) {
        try pair.prober.start()
        try pair.stream.start()
    }

    /// Goes over to the node unless it is there already. Blocks for milliseconds: not for the cooperative pool.
    func follow(_ node: NodeID) throws(PostgresError) {
        let failure: PostgresError? = changing.withLock { _ in
            do throws(PostgresError) {
                try change(to: node)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    private func change(to node: NodeID) throws(PostgresError) {
        let (old, isRunning, isStopped) = state.withLock { ($0.pair, $0.isRunning, $0.isStopped) }
        guard old.node != node, !isStopped else { return }
        let (stream, prober) = try make(node)
        let new = Pair(node: node, stream: stream, prober: prober)
        if isRunning { Self.end(old) }
        changed(node)
        let begins = state.withLock { state in
            state.pair = new
            return isRunning && !state.isStopped
        }
        if begins { try Self.start(new) }
    }

    private static func end(_ pair: Pair) {
        pair.stream.stop()
        pair.prober.stop()
        pair.stream.join()
        pair.prober.join()
    }

    /// Ends them and waits for their end. Blocks: not for the cooperative pool.
    func stop() {
        changing.withLock { _ in
            let (pair, isRunning) = state.withLock { state in
                state.isStopped = true
                return (state.pair, state.isRunning)
            }
            if isRunning { Self.end(pair) }
        }
    }
}
