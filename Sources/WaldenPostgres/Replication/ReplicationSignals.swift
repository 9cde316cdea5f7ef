internal import Synchronization
internal import WaldenCore

/// Why one attempt to follow the stream ended.
struct StreamFailure: Error {
    let reason: StreamLoss.Reason
    let error: PostgresError

    init(_ reason: StreamLoss.Reason, _ error: PostgresError) {
        self.reason = reason
        self.error = error
    }
}

/// Figures of one batch, gathered without a lock.
struct StreamTally {
    var messages: UInt64 = 0
    var bytes: UInt64 = 0
    var transactions: UInt64 = 0
    var rowChanges: UInt64 = 0
}

/// What other threads and the stream's own thread tell one another.
final class ReplicationSignals: Sendable {
    let stop: Interrupt
    let wake: Wake
    private let keepaliveRequested = Atomic<Bool>(false)
    private let current = Mutex(StreamStatus())

    init() throws(PostgresError) {
        stop = try Interrupt()
        wake = try Wake()
    }

    var status: StreamStatus { current.withLock { $0 } }

    func update(_ change: (inout StreamStatus) -> Void) {
        current.withLock { change(&$0) }
    }

    func requestKeepalive() {
        keepaliveRequested.store(true, ordering: .sequentiallyConsistent)
        wake.raise()
    }

    func takeKeepaliveRequest() -> Bool {
        keepaliveRequested.exchange(false, ordering: .sequentiallyConsistent)
    }
}

extension StreamStatus {
    mutating func enter(_ state: State) {
        self.state = state
        since = MonotonicClock.now()
    }

    mutating func add(_ part: StreamTally, position: LSN, serverPosition: LSN, heardAt: Instant) {
        messages &+= part.messages
        bytes &+= part.bytes
        transactions &+= part.transactions
        rowChanges &+= part.rowChanges
        self.position = position
        self.serverPosition = serverPosition
        lastHeard = heardAt
    }
}
