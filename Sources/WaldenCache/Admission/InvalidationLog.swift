import Synchronization
public import WaldenCore
import WaldenDependency

/// Why one entry was dropped: for people who ask why a statement is not answered from memory.
public struct InvalidationRecord: Hashable, Sendable {
    public enum Change: String, Hashable, Sendable {
        case insert, update, delete
        /// Truncated, or so much of it changed that every row counts.
        case wholeRelation = "whole_relation"
    }

    public let shape: ShapeID
    /// The end of the commit record.
    public let lsn: LSN
    public let transaction: TransactionID
    public let relation: RelationID
    public let change: Change
    public let cause: InvalidationCause
    /// How the entry was found: the columns that the statement compares by equality and by range.
    public let equalities: [String]
    public let range: String?
    /// Columns and values of the changed row's key, each cut at 64 bytes; empty unless values may be shown.
    public let key: [String]
}

/// The last invalidations: 256 in all, 16 of one shape. A noisy shape so does not hide the others.
struct InvalidationLog: Sendable {
    static let capacity = 256
    static let perShape = 16
    /// Of one transaction only so many are recorded: what a large one drops, it mostly drops alike.
    static let perTransaction = 16

    private(set) var records: [InvalidationRecord] = []

    mutating func add(_ record: InvalidationRecord) {
        var oldest: Int?
        var count = 0
        for (index, other) in records.enumerated() where other.shape == record.shape {
            if oldest == nil { oldest = index }
            count += 1
        }
        if count >= Self.perShape, let oldest {
            records.remove(at: oldest)
        } else if records.count >= Self.capacity {
            records.removeFirst()
        }
        records.append(record)
    }

    /// Newest first.
    func records(of shape: ShapeID) -> [InvalidationRecord] {
        records.reversed().filter { $0.shape == shape }
    }
}

extension PredicateIndex {
    /// By which columns the entry with this first posting depends on a relation.
    func filing(from first: Int32, on relation: RelationID) -> (equalities: [String], range: String?) {
        guard let number = numbers[relation] else { return ([], nil) }
        let index = relations[Int(number)]
        var current = first
        while current >= 0 {
            let key = groups[postings[current].group].key
            if key.relation == number {
                return (key.equality.map(index.name), key.range < 0 ? nil : index.name(of: key.range))
            }
            current = postings[current].sibling
        }
        return ([], nil)
    }
}

extension RowChange {
    /// Columns and values of the key, for people; those of the old row if the stream tells it.
    var shownKey: [String] {
        guard let image = old ?? new else { return [] }
        var shown: [String] = []
        for (column, field) in zip(relation.columns, image) where column.isKey && shown.count < 4 {
            switch field.kind {
            case .text where field.range.upperBound <= bytes.count:
                let value = bytes[field.range].prefix(64)
                shown.append("\(column.name)=\(String(decoding: value, as: UTF8.self))")
            case .null: shown.append("\(column.name)=NULL")
            default: break
            }
        }
        return shown
    }
}

extension ResultCache {
    /// The last invalidations of a shape's results, newest first, at most 16.
    public func invalidations(of shape: ShapeID) -> [InvalidationRecord] {
        engine.withLock { $0.log.records(of: shape) }
    }
}
