import WaldenCore

@testable import WaldenCache

/// A primary in miniature: multi-version rows, a log, and commits that are written first and become visible later, in
/// any order, as under a synchronous standby or with `synchronous_commit = off`.
struct SimulatedPrimary {
    struct Row: Hashable {
        var g: Int64
        var v: Int64
    }

    /// What a query reads: rows by id, and which group the view shows.
    struct State: Hashable {
        var rows: [Int64: Row] = [:]
        var viewGroup: Int64 = 0
    }

    enum Write {
        case set(Int64, Row)
        case delete(Int64)
        case truncate
        case redefineView(Int64)
    }

    enum Stage {
        case open
        /// The commit record is in the log; nobody sees the effects yet.
        case committed
        case visible
        case aborted
    }

    struct Transaction {
        let xid: UInt64
        let isAsynchronous: Bool
        var stage = Stage.open
        var writes: [Write] = []
        var changes: [RowChange] = []
        var commitLSN = LSN.zero
        var endLSN = LSN.zero
        var visibleAt = Instant.distantFuture
    }

    let relation: TestRelation
    private(set) var transactions: [Transaction] = []
    /// Indices by commit record.
    private(set) var commitOrder: [Int] = []
    private(set) var insertLSN = LSN(1000)
    private(set) var flushedLSN = LSN(1000)
    /// Short identifiers wrap around soon after the start.
    private var nextXID: UInt64 = (3 << 32) - 12
    private var latestCompleted: UInt64 = (3 << 32) - 13
    private var lockedRows: [Int64: Int] = [:]
    private var viewLock: Int?

    init(identity: ReplicaIdentity) {
        relation = TestRelation(
            ["id", "g", "v"], key: identity == .full ? ["id", "g", "v"] : ["id"], identity: identity)
    }

    func indices(at stage: Stage) -> [Int] {
        transactions.indices.filter { transactions[$0].stage == stage }
    }

    // MARK: Writers

    mutating func begin(isAsynchronous: Bool) -> Int {
        transactions.append(Transaction(xid: nextXID, isAsynchronous: isAsynchronous))
        nextXID += 1
        return transactions.count - 1
    }

    /// An identifier that no commit record will carry.
    mutating func skipIdentifier() { nextXID += 1 }

    /// A row is locked until its writer has become visible, so writers of one row never overlap.
    mutating func write(_ write: Write, in index: Int) {
        switch write {
        case .set(let id, let row):
            guard lock(id, by: index) else { return }
            let old = ownState(of: index).rows[id]
            let new: [Cell] = [.integer(id), .integer(row.g), .integer(row.v)]
            transactions[index].changes.append(
                old.map { relation.update(oldImage(id, $0), new) } ?? relation.insert(new))
        case .delete(let id):
            guard lock(id, by: index), let old = ownState(of: index).rows[id] else { return }
            let image = oldImage(id, old) ?? [.integer(id), .notSent, .notSent]
            transactions[index].changes.append(relation.delete(image))
        case .truncate:
            guard lockedRows.values.allSatisfy({ $0 == index }) else { return }
            for id in Int64(0)..<8 { lockedRows[id] = index }
        case .redefineView:
            guard viewLock == nil || viewLock == index else { return }
            viewLock = index
        }
        transactions[index].writes.append(write)
        insertLSN = LSN(insertLSN.rawValue + 16)
    }

    mutating func commit(_ index: Int) {
        transactions[index].commitLSN = insertLSN
        insertLSN = LSN(insertLSN.rawValue + 8)
        transactions[index].endLSN = insertLSN
        transactions[index].stage = .committed
        commitOrder.append(index)
    }

    mutating func abort(_ index: Int) {
        finish(index, as: .aborted)
    }

    /// Whether the commit may become visible: flushed, unless it does not wait for that.
    func mayBecomeVisible(_ index: Int) -> Bool {
        transactions[index].stage == .committed
            && (transactions[index].isAsynchronous || transactions[index].endLSN <= flushedLSN)
    }

    mutating func becomeVisible(_ index: Int, now: Instant) {
        transactions[index].visibleAt = now
        finish(index, as: .visible)
    }

    mutating func flush() { flushedLSN = insertLSN }

    /// A transaction that only takes an identifier and ends (`pg_current_xact_id()`).
    mutating func takeIdentifier() -> Int { begin(isAsynchronous: true) }

    // MARK: Readers

    var snapshot: Snapshot {
        let open = transactions.filter { $0.stage == .open || $0.stage == .committed }.map(\.xid)
        let xmax = latestCompleted + 1
        let listed = open.filter { $0 < xmax }
        return Snapshot(
            xmin: TransactionID(min(listed.min() ?? xmax, xmax)), xmax: TransactionID(xmax),
            inProgress: listed.map { TransactionID($0) })
    }

    /// What a reader that starts now sees.
    var visibleState: State {
        replay { transactions[$0].stage == .visible }
    }

    /// The state whose last commit ends at or before `lsn`.
    func state(at lsn: LSN) -> State {
        replay { transactions[$0].endLSN <= lsn }
    }

    /// The same without what no reader sees yet.
    func visibleState(at lsn: LSN) -> State {
        replay { transactions[$0].endLSN <= lsn && transactions[$0].stage == .visible }
    }

    /// The end of the last commit that was visible at an instant.
    func lastEnd(visibleAt instant: Instant) -> LSN {
        transactions.reduce(.zero) { $1.visibleAt <= instant ? max($0, $1.endLSN) : $0 }
    }

    // MARK: The stream

    func streamed(_ index: Int) -> CommittedTransaction {
        let transaction = transactions[index]
        var messages: [LogicalMessage] = []
        var truncates = false
        for write in transaction.writes {
            if case .redefineView = write {
                // Half of them know that only results of the view are concerned.
                let content = transaction.xid % 2 == 0 ? "ddl" : "ddl @\(SimulatedQuery.viewID) ALTER VIEW"
                messages.append(LogicalMessage(prefix: "walden", content: Array(content.utf8)))
            }
            if case .truncate = write { truncates = true }
        }
        return CommittedTransaction(
            xid: UInt32(truncatingIfNeeded: transaction.xid), commitLSN: transaction.commitLSN,
            endLSN: transaction.endLSN, commitTime: 0, changes: transaction.changes,
            wholeRelations: truncates ? [relation.description.id] : [], messages: messages,
            changeCount: transaction.changes.count)
    }

    private mutating func finish(_ index: Int, as stage: Stage) {
        transactions[index].stage = stage
        latestCompleted = max(latestCompleted, transactions[index].xid)
        lockedRows = lockedRows.filter { $0.value != index }
        if viewLock == index { viewLock = nil }
    }

    private mutating func lock(_ id: Int64, by index: Int) -> Bool {
        if let owner = lockedRows[id], owner != index { return false }
        lockedRows[id] = index
        return true
    }

    private func ownState(of index: Int) -> State {
        var state = visibleState
        for write in transactions[index].writes { apply(write, to: &state) }
        return state
    }

    /// As the replica identity has it; nil when an update keeps its key and sends no old row.
    private func oldImage(_ id: Int64, _ row: Row) -> [Cell]? {
        relation.description.replicaIdentity == .full ? [.integer(id), .integer(row.g), .integer(row.v)] : nil
    }

    private func replay(where isIncluded: (Int) -> Bool) -> State {
        var state = State()
        for index in commitOrder where isIncluded(index) {
            for write in transactions[index].writes { apply(write, to: &state) }
        }
        return state
    }

    private func apply(_ write: Write, to state: inout State) {
        switch write {
        case .set(let id, let row): state.rows[id] = row
        case .delete(let id): state.rows[id] = nil
        case .truncate: state.rows = [:]
        case .redefineView(let group): state.viewGroup = group
        }
    }
}
