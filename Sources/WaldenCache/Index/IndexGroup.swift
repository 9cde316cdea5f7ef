import WaldenCore
import WaldenDependency

/// The alternatives on one relation that are filed alike: equality on the same columns, a range on the same column (or
/// none), and results that read the same columns. Statements of one shape make one group.
///
/// A bucket holds what is filed under one tuple of values. Its contents, a list or an interval tree of postings, belong
/// to the index; the group knows their head.
struct IndexGroup: Sendable {
    /// Which images of a row are looked up in the group.
    enum Images: Hashable, Sendable {
        case both
        /// The predicates of results whose keys are known.
        case new
        /// The keys of such results: the rows that contributed, by what they left in the result.
        case old
    }

    struct Key: Hashable, Sendable {
        let relation: Int32
        /// Names that the results read; nil: any column may matter.
        let columns: Set<String>?
        /// Column numbers, ascending.
        let equality: [Int]
        /// A column number, or negative.
        let range: Int
        var images = Images.both
    }

    struct Bucket: Sendable {
        var hash: UInt64 = 0
        /// The first posting, or the root of the interval tree.
        var head: Int32 = -1
        var isFree = true
    }

    /// Which buckets may hold alternatives that a row satisfies.
    enum Selection: Hashable {
        case none
        case one(Int32)
        /// Some equality columns are unknown: the buckets that agree on the others, chained.
        case chain(partial: Int, first: Int32)
        /// The same, found by going through all buckets.
        case agreeing(known: UInt64, hash: UInt64)
        case all
    }

    /// More combinations of unknown columns than this are answered by going through all buckets.
    private static let maxPartials = 4

    let key: Key
    var postings = 0
    private var buckets = SlotArena<Bucket>()
    private var table = HandleTable()
    /// For several equality columns: the hash of each, by bucket.
    private var columnHashes: [UInt64] = []
    private var partials: [PartialIndex] = []
    /// Nil: an update is never known to leave the results alone.
    private var referenced: [ReferencedColumn]?
    private var resolvedShape = -1

    init(key: Key) {
        self.key = key
    }

    private var bucketLimit: Int32 { Int32(buckets.limit) }

    subscript(_ bucket: Int32) -> Bucket {
        _read { yield buckets[bucket] }
        _modify { yield &buckets[bucket] }
    }

    /// The bucket of a tuple of values, made if need be.
    mutating func bucket(of hashes: [UInt64]) -> Int32 {
        let hash = hashes.reduce(ValueHash.empty, ValueHash.combine)
        if let bucket = find(hash) { return bucket }
        let bucket = buckets.insert(Bucket(hash: hash, isFree: false))
        table.insert(hash, bucket)
        if hashes.count > 1 {
            let base = Int(bucket) * hashes.count
            while columnHashes.count < base + hashes.count { columnHashes.append(0) }
            for (offset, part) in hashes.enumerated() { columnHashes[base + offset] = part }
            for index in partials.indices {
                partials[index].insert(bucket, hash: self.hash(of: bucket, known: partials[index].known))
            }
        }
        return bucket
    }

    /// Frees an empty bucket.
    mutating func removeBucket(_ bucket: Int32) {
        for index in partials.indices { partials[index].remove(bucket) }
        table.remove(buckets[bucket].hash, bucket)
        buckets.remove(bucket, leaving: Bucket())
    }

    /// Whether an update certainly left all that the results read.
    mutating func isUntouched(by change: RowChange, in relation: borrowing RelationIndex) -> Bool {
        guard let names = key.columns else { return false }
        if resolvedShape != relation.shape {
            referenced = relation.positions(of: names)
            resolvedShape = relation.shape
        }
        guard let referenced else { return false }
        return referenced.allSatisfy { change.isUnchanged(at: $0.position, isKey: $0.isKey) }
    }

    /// The buckets for a row.
    mutating func select(_ values: inout ImageValues, in relation: borrowing RelationIndex) -> Selection {
        for column in key.equality { values.load(column, in: relation) }
        var hash = ValueHash.empty
        var known: UInt64 = 0
        for (offset, column) in key.equality.enumerated() where values[column].value != .unknown {
            hash = ValueHash.combine(hash, values[column].hash)
            known |= 1 << UInt64(offset)
        }
        if known.nonzeroBitCount == key.equality.count { return find(hash).map(Selection.one) ?? .none }
        if known == 0 { return .all }
        guard let partial = partial(for: known) else { return .agreeing(known: known, hash: hash) }
        return partials[partial].first(hash).map { .chain(partial: partial, first: $0) } ?? .none
    }

    /// Hands over the buckets of a selection.
    func forEachBucket(in selection: Selection, _ body: (Int32) -> Void) {
        switch selection {
        case .none: break
        case .one(let bucket): body(bucket)
        case .chain(let partial, let first):
            var bucket: Int32? = first
            while let current = bucket {
                body(current)
                bucket = partials[partial].next(current)
            }
        case .agreeing(let known, let hash):
            for bucket in 0..<bucketLimit where !buckets[bucket].isFree && self.hash(of: bucket, known: known) == hash {
                body(bucket)
            }
        case .all:
            for bucket in 0..<bucketLimit where !buckets[bucket].isFree { body(bucket) }
        }
    }

    private func find(_ hash: UInt64) -> Int32? {
        table.find(hash) { buckets[$0].hash == hash }
    }

    private func hash(of bucket: Int32, known: UInt64) -> UInt64 {
        let base = Int(bucket) * key.equality.count
        var hash = ValueHash.empty
        for offset in key.equality.indices where known & (1 << UInt64(offset)) != 0 {
            hash = ValueHash.combine(hash, columnHashes[base + offset])
        }
        return hash
    }

    /// The index over these columns alone, made when a change first tells no more.
    private mutating func partial(for known: UInt64) -> Int? {
        if let index = partials.firstIndex(where: { $0.known == known }) { return index }
        guard partials.count < Self.maxPartials else { return nil }
        var partial = PartialIndex(known: known)
        for bucket in 0..<bucketLimit where !buckets[bucket].isFree {
            partial.insert(bucket, hash: hash(of: bucket, known: known))
        }
        partials.append(partial)
        return partials.count - 1
    }
}
