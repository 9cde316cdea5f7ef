import DequeModule
import WaldenCore
import WaldenDependency

/// The recent list V: transactions applied to the cache that a fill beginning now may still not see.
///
/// A transaction enters before it is applied and leaves once the newest probe covers it. The list is bounded: past its
/// bounds the oldest transactions keep only the names of their relations, and past a second bound only the knowledge
/// that there were some; fills that may be affected are not kept then.
struct RecentList: Sendable {
    enum Effects: Sendable {
        case changes([RowChange], wholeRelations: [RelationID])
        /// Something in these relations.
        case relations([RelationID])
        /// Something in too many to list.
        case everything
    }

    struct Bounds: Hashable, Sendable {
        var changes: Int
        var bytes: Int
        /// Transactions of any form.
        var transactions: Int { max(1024, 4 * changes) }
        var relationsPerTransaction: Int { 16 }
    }

    private struct Transaction: Sendable {
        let xid: TransactionID
        let endLSN: LSN
        var effects: Effects
        var changes: Int
        var bytes: Int
    }

    /// The newest of the transactions that were forgotten altogether.
    private struct Forgotten: Hashable, Sendable {
        var xid: TransactionID
        var endLSN: LSN
    }

    private let bounds: Bounds
    private var transactions: Deque<Transaction> = []
    private var forgotten: Forgotten?
    private(set) var changes = 0
    private var bytes = 0

    init(bounds: Bounds) {
        self.bounds = bounds
    }

    var count: Int { transactions.count }
    var isEmpty: Bool { transactions.isEmpty && forgotten == nil }

    /// The end of the first transaction on the list, or of one before it; nil when there is none. They come in the order
    /// of their ends.
    var earliestEnd: LSN? { forgotten != nil ? .zero : transactions.first?.endLSN }

    /// Adds a transaction that changed rows.
    mutating func add(_ transaction: CommittedTransaction, xid: TransactionID) {
        var entry = Transaction(
            xid: xid, endLSN: transaction.endLSN,
            effects: .changes(transaction.changes, wholeRelations: transaction.wholeRelations),
            changes: transaction.changes.count,
            bytes: transaction.changes.reduce(0) { $0 + $1.bytes.count + 128 })
        if entry.changes * 2 > bounds.changes || entry.bytes * 2 > bounds.bytes {
            // One giant must not push out all the others.
            summarise(&entry)
        }
        changes += entry.changes
        bytes += entry.bytes
        transactions.append(entry)
        while changes > bounds.changes || bytes > bounds.bytes { summariseOldest() }
        while transactions.count > bounds.transactions { forgetOldest() }
    }

    /// Drops what every later fill is certain to see.
    mutating func prune(coveredBy horizon: Horizon) {
        transactions.removeAll { horizon.covers($0.xid, endLSN: $0.endLSN) }
        changes = transactions.reduce(0) { $0 + $1.changes }
        bytes = transactions.reduce(0) { $0 + $1.bytes }
        if let last = forgotten, coversAll(horizon, upTo: last) { forgotten = nil }
    }

    mutating func removeAll() {
        self = RecentList(bounds: bounds)
    }

    /// Whether a result read under `horizon` may lack a transaction that has already been applied.
    ///
    /// - Parameter leaving: Takes the old rows of which the result's keys will tell whether it has them.
    func taint(of dependencies: Dependencies, under horizon: Horizon, leaving: inout LeavingRows) -> Taint? {
        if let forgotten, !coversAll(horizon, upTo: forgotten) { return .recentListOverflow }
        if transactions.isEmpty { return nil }
        var matchers = ChangeMatchers(dependencies)
        for transaction in transactions where !horizon.covers(transaction.xid, endLSN: transaction.endLSN) {
            switch transaction.effects {
            case .everything: return .recentListOverflow
            case .relations(let relations):
                if relations.contains(where: matchers.dependOn) { return .recentListOverflow }
            case .changes(let changes, let wholeRelations):
                if wholeRelations.contains(where: matchers.dependOn) { return .recentTransaction }
                for change in changes {
                    switch matchers.effect(of: change) {
                    case .none: continue
                    case .newRow: return .recentTransaction
                    case .oldRow:
                        guard let row = LeavingRow(of: change, under: dependencies), leaving.note(row) else {
                            return .recentTransaction
                        }
                    }
                }
            }
        }
        return nil
    }

    /// Of the forgotten ones only the newest identifier is known, so all below it must be covered.
    private func coversAll(_ horizon: Horizon, upTo last: Forgotten) -> Bool {
        switch horizon {
        case .primary(let snapshot): last.xid < snapshot.xmin
        case .standby(let replayed): last.endLSN <= replayed
        }
    }

    private mutating func summariseOldest() {
        guard let index = transactions.firstIndex(where: { $0.changes > 0 }) else { return }
        changes -= transactions[index].changes
        bytes -= transactions[index].bytes
        summarise(&transactions[index])
    }

    private func summarise(_ transaction: inout Transaction) {
        guard case .changes(let changes, let wholeRelations) = transaction.effects else { return }
        var relations = wholeRelations
        for change in changes where !relations.contains(change.relation.id) {
            relations.append(change.relation.id)
            if relations.count > bounds.relationsPerTransaction { break }
        }
        let isShort = relations.count <= bounds.relationsPerTransaction
        transaction.effects = isShort ? .relations(relations) : .everything
        transaction.changes = 0
        transaction.bytes = 0
    }

    private mutating func forgetOldest() {
        guard let oldest = transactions.popFirst() else { return }
        changes -= oldest.changes
        bytes -= oldest.bytes
        forgotten = Forgotten(
            xid: max(oldest.xid, forgotten?.xid ?? oldest.xid),
            endLSN: max(oldest.endLSN, forgotten?.endLSN ?? oldest.endLSN))
    }
}

/// One result's dependencies beside many changes: a matcher is made once per table and shape of its relation.
private struct ChangeMatchers {
    private struct Table {
        let dependency: TableDependency
        var shape: RelationDescription?
        var matcher: TableMatcher?
    }

    private var tables: [Table]

    init(_ dependencies: Dependencies) {
        tables = dependencies.tables.map { Table(dependency: $0) }
    }

    func dependOn(_ relation: RelationID) -> Bool {
        tables.contains { $0.dependency.relation == relation }
    }

    mutating func effect(of change: RowChange) -> ChangeEffect {
        var effect = ChangeEffect.none
        for index in tables.indices where tables[index].dependency.relation == change.relation.id {
            if tables[index].shape !== change.relation {
                tables[index].shape = change.relation
                tables[index].matcher = TableMatcher(tables[index].dependency, in: change.relation)
            }
            switch tables[index].matcher?.effect(of: change) ?? .newRow {
            case .none: break
            case .newRow: return .newRow
            case .oldRow: effect = .oldRow
            }
        }
        return effect
    }
}
