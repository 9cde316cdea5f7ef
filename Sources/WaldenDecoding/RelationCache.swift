import WaldenCore

/// The relations that the stream has described, by their OID.
///
/// The server describes a relation before its first row and again after it changed. It keeps book of that per streamed
/// transaction and apart from all others (PostgreSQL `pgoutput.c`, `maybe_send_schema`), since a transaction may have
/// altered a table that others still see as it was. So what is described within a chunk stands in that transaction's
/// overlay and counts for it alone; when it commits, it counts for all, unless the relation was described anew since.
struct RelationCache: Sendable {
    struct Entry: Sendable {
        let relation: RelationDescription
        /// Counts descriptions as they came.
        let order: UInt64
        let byteCost: Int
    }

    /// What one streamed transaction was told.
    typealias Overlay = [RelationID: Entry]

    private var shared: [RelationID: Entry] = [:]
    private var described: UInt64 = 0
    private var byteCost = 0
    private let maxBytes: Int

    init(maxBytes: Int) {
        self.maxBytes = maxBytes
    }

    subscript(id: RelationID) -> RelationDescription? { shared[id]?.relation }

    /// Remembers `relation` for all transactions. The object that stands stays, if it says the same.
    mutating func describe(_ relation: RelationDescription) throws(DecodingError) {
        let entry = try enter(relation, replacing: shared[relation.id])
        shared[relation.id] = entry
    }

    /// Remembers `relation` for one streamed transaction.
    mutating func describe(_ relation: RelationDescription, in overlay: inout Overlay) throws(DecodingError) {
        overlay[relation.id] = try enter(relation, replacing: overlay[relation.id])
    }

    /// The transaction committed or prepared: what it was told counts for all.
    mutating func merge(_ overlay: Overlay) {
        for (id, entry) in overlay {
            let standing = shared[id]
            if let standing, standing.order > entry.order {
                byteCost -= entry.byteCost
            } else {
                byteCost -= standing?.byteCost ?? 0
                shared[id] = entry
            }
        }
    }

    /// The transaction aborted: what it was told is forgotten.
    mutating func discard(_ overlay: Overlay) {
        for entry in overlay.values { byteCost -= entry.byteCost }
    }

    private mutating func enter(
        _ relation: RelationDescription, replacing old: Entry?
    ) throws(DecodingError) -> Entry {
        let known = [old?.relation, shared[relation.id]?.relation].lazy.compactMap(\.self).first(where: relation.isSame)
        described += 1
        let entry = Entry(relation: known ?? relation, order: described, byteCost: relation.byteCost)
        byteCost += entry.byteCost - (old?.byteCost ?? 0)
        guard byteCost <= maxBytes else { throw .limitExceeded(.catalogBytes) }
        return entry
    }
}
