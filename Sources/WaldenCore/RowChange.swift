/// One column's value in a row image: where its bytes stand in the change's buffer, and in which form.
public struct Field: Hashable, Sendable {
    public enum Kind: UInt8, Sendable {
        case null
        /// A TOASTed value that the update did not touch and the log does not repeat.
        case unchangedToast
        /// Not part of a key-only old row. The stream marks it null; it is not a null.
        case notSent
        /// The output of the type's text output function.
        case text
        /// The output of the type's send function.
        case binary
    }

    public let kind: Kind
    public let offset: UInt32
    public let length: UInt32

    @inlinable
    public init(kind: Kind, offset: UInt32 = 0, length: UInt32 = 0) {
        self.kind = kind
        self.offset = offset
        self.length = length
    }

    @inlinable
    public var range: Range<Int> { Int(offset)..<(Int(offset) + Int(length)) }
}

/// One row inserted, updated or deleted, as decoded from the stream.
public struct RowChange: Sendable {
    public enum Kind: Hashable, Sendable {
        case insert, update, delete
    }

    public let kind: Kind
    public let relation: RelationDescription
    /// Holds the values of both images; `Field.range` points into it.
    public let bytes: [UInt8]
    /// The old row by position of `relation.columns`. Nil for an insert, and for an update whose identity did not
    /// change and whose relation has no full identity: then the key columns are as in `new`, the others unknown.
    public let old: [Field]?
    /// The new row by position of `relation.columns`; nil for a delete.
    public let new: [Field]?

    public init(kind: Kind, relation: RelationDescription, bytes: [UInt8], old: [Field]?, new: [Field]?) {
        self.kind = kind
        self.relation = relation
        self.bytes = bytes
        self.old = old
        self.new = new
    }
}

/// A transactional `pg_logical_emit_message`.
public struct LogicalMessage: Hashable, Sendable {
    public let prefix: String
    public let content: [UInt8]

    public init(prefix: String, content: [UInt8]) {
        self.prefix = prefix
        self.content = content
    }
}

/// One committed transaction of the stream, in commit-record order: the unit that the cache applies.
public struct CommittedTransaction: Sendable {
    /// The top-level identifier as the log carries it; widen it with `TransactionID(short:near:)`.
    public let xid: UInt32
    public let commitLSN: LSN
    /// The end of the commit record: having applied this, the stream's position is here.
    public let endLSN: LSN
    /// Microseconds since 2000-01-01 UTC on the primary's clock.
    public let commitTime: Int64
    /// Row changes, without those of aborted subtransactions and of `wholeRelations`.
    public let changes: [RowChange]
    /// Relations truncated, or changed so often that every row counts as changed.
    public let wholeRelations: [RelationID]
    public let messages: [LogicalMessage]
    /// Row changes the transaction held, also those folded into `wholeRelations`.
    public let changeCount: Int

    public init(
        xid: UInt32, commitLSN: LSN, endLSN: LSN, commitTime: Int64, changes: [RowChange],
        wholeRelations: [RelationID], messages: [LogicalMessage], changeCount: Int
    ) {
        self.xid = xid
        self.commitLSN = commitLSN
        self.endLSN = endLSN
        self.commitTime = commitTime
        self.changes = changes
        self.wholeRelations = wholeRelations
        self.messages = messages
        self.changeCount = changeCount
    }
}
