import WaldenCore

/// What is known so far of one transaction.
///
/// A change is of the top-level transaction or of a subtransaction; only a streamed transaction tells them apart, as
/// only there an abort may still come. What aborts is dropped exactly, with one exception on the safe side: a relation
/// that counts as changed entirely because of too many changes stays so, also if some of them abort.
struct TransactionBuffer: Sendable {
    let xid: UInt32
    private(set) var rows = RowStore()
    /// By subtransaction; those of the top level are whole relations at once.
    private var truncated: [UInt32: Set<RelationID>] = [:]
    private var messages: [UInt32: [Message]] = [:]
    private var messageCount = 0
    private var ownByteCost = 0

    private struct Message {
        let order: Int
        let message: LogicalMessage
        var byteCost: Int { TransactionBuffer.byteCost(of: message) }
    }

    private static let truncateBytes = 64

    init(xid: UInt32) {
        self.xid = xid
    }

    /// Roughly the memory that all of it takes.
    var byteCost: Int { rows.byteCost + ownByteCost }

    static func byteCost(of message: LogicalMessage) -> Int {
        160 + message.prefix.utf8.count + message.content.count
    }

    mutating func slot(of relation: RelationID) -> Int { rows.slot(of: relation) }

    mutating func append(_ change: RowChange, slot: Int, subtransaction: UInt32?, byteCost: Int) {
        rows.append(change, slot: slot, xid: subtransaction ?? xid, byteCost: byteCost)
    }

    mutating func fold() { rows.fold() }

    /// Returns the bytes that this frees.
    @discardableResult
    mutating func makeWhole(_ slot: Int) -> Int {
        let before = byteCost
        rows.makeWhole(slot)
        return before - byteCost
    }

    mutating func truncate(_ relation: RelationID, subtransaction: UInt32?) {
        if let subtransaction, subtransaction != xid {
            if truncated[subtransaction, default: []].insert(relation).inserted { ownByteCost += Self.truncateBytes }
        } else {
            rows.makeWhole(rows.slot(of: relation))
        }
    }

    mutating func append(_ message: LogicalMessage, subtransaction: UInt32?) {
        let entry = Message(order: messageCount, message: message)
        messageCount += 1
        messages[subtransaction ?? xid, default: []].append(entry)
        ownByteCost += entry.byteCost
    }

    /// Returns the bytes that this frees.
    mutating func abort(_ subtransaction: UInt32) -> Int {
        let before = byteCost
        rows.abort(subtransaction)
        if let gone = truncated.removeValue(forKey: subtransaction) { ownByteCost -= gone.count * Self.truncateBytes }
        for gone in messages.removeValue(forKey: subtransaction) ?? [] { ownByteCost -= gone.byteCost }
        return before - byteCost
    }

    /// The transaction as it committed.
    consuming func committed(_ commit: Commit) -> CommittedTransaction {
        for relation in Set(truncated.values.joined()) { rows.makeWhole(rows.slot(of: relation)) }
        let held = rows.held
        return CommittedTransaction(
            xid: xid, commitLSN: commit.commitLSN, endLSN: commit.endLSN, commitTime: commit.commitTime,
            changes: held, wholeRelations: rows.wholeRelations,
            messages: messages.values.joined().sorted { $0.order < $1.order }.map(\.message),
            changeCount: held.count + rows.foldedCount)
    }
}
