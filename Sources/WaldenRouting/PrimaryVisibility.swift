internal import DequeModule
public import WaldenCore

/// What a standby showed at most at one moment, in terms of transactions.
public struct StandbyView: Hashable, Sendable {
    /// Before the question was sent. Whoever had read there until then saw no more than this.
    public let askedAt: Instant
    /// One past the newest transaction whose end had been replayed (`pg_snapshot_xmax`). The rest of a standby's snapshot
    /// is not told to SQL.
    public let xmax: TransactionID
    /// Of the transactions that this lists as running at the primary the standby was asked, too; nil: of none.
    public let question: Snapshot?
    /// Those of them whose commit had been replayed.
    public let committed: [TransactionID]

    public init(
        askedAt: Instant, xmax: TransactionID, question: Snapshot? = nil, committed: [TransactionID] = []
    ) {
        self.askedAt = askedAt
        self.xmax = xmax
        self.question = question
        self.committed = committed
    }

    /// Whether a reader of the primary sees all that the standby showed, once `snapshot` was taken there.
    public func isContained(in snapshot: Snapshot) -> Bool {
        snapshot.xmax >= xmax && snapshot.inProgress.allSatisfy { $0 >= xmax || isKnownToRun($0) }
    }

    /// Of all others nothing is known: they may have begun and committed since the question was put together.
    private func isKnownToRun(_ xid: TransactionID) -> Bool {
        guard let question, xid < question.xmax, !question.covers(xid) else { return false }
        return !committed.contains(xid)
    }
}

/// Up to when what standbys have shown is visible at the primary, too.
///
/// A commit is visible on a standby once its record is replayed. At the primary it is visible only when the session that
/// commits has left the list of running transactions: after the standbys it waits for have confirmed it, and after it was
/// given the processor again (PostgreSQL `access/transam/xact.c`, `CommitTransaction`). So a session that reads on a standby
/// and then at the primary could go back in time; no position tells, since none is written when a commit becomes visible.
/// The transactions do: once a snapshot of the primary lists none as running that the standby may have shown, whoever
/// reads at the primary sees at least as much (ADR 0060).
///
/// Bounded: of each standby the oldest views that are still waiting, and the newest one.
public struct PrimaryVisibility: Sendable {
    private struct Standby {
        var waiting: Deque<StandbyView> = []
        var settled = Instant.distantPast
    }

    private let capacity: Int
    private var standbys: [NodeID: Standby] = [:]
    /// A recent one of the primary; standbys are to be asked of what it lists as running.
    public private(set) var snapshot: Snapshot?

    public init(capacity: Int = 64) {
        self.capacity = max(2, capacity)
    }

    /// What a standby had shown to those whose read had ended by then, the primary shows as well. The distant past before
    /// anything is known.
    public func settled(_ node: NodeID) -> Instant { standbys[node]?.settled ?? .distantPast }

    /// What readers see only grows, so snapshots may come in any order: an older one settles less.
    public mutating func primarySaw(_ snapshot: Snapshot) {
        self.snapshot = snapshot
        for node in standbys.keys { settle(node) }
    }

    public mutating func standbyShowed(_ view: StandbyView, on node: NodeID) {
        var standby = standbys[node] ?? Standby()
        if standby.waiting.count >= capacity { standby.waiting.removeLast() }
        standby.waiting.append(view)
        standbys[node] = standby
        settle(node)
    }

    /// The server was restarted or lost: it may show less than it did, so what it shows now tells nothing of before.
    public mutating func standbyLost(_ node: NodeID) {
        standbys[node]?.waiting.removeAll()
    }

    /// Another node is the primary.
    public mutating func primaryChanged() {
        snapshot = nil
        standbys.removeAll()
    }

    /// A later view shows all that the ones before it do.
    private mutating func settle(_ node: NodeID) {
        guard let snapshot, let waiting = standbys[node]?.waiting,
            let newest = waiting.lastIndex(where: { $0.isContained(in: snapshot) })
        else { return }
        standbys[node]?.settled = waiting[newest].askedAt
        standbys[node]?.waiting.removeFirst(newest - waiting.startIndex + 1)
    }
}
