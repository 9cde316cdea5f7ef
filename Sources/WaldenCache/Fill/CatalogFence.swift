import WaldenCore

/// Keeps fills away while the catalog under which statements are analysed is known to be out of date.
///
/// A change of the catalog arrives in the stream before it is certain to be visible, so reading the catalog again is
/// not enough: the reading counts only under a snapshot that covers the change.
struct CatalogFence: Hashable, Sendable {
    private static let maxListed = 64

    /// Of the catalog that `catalogChanged` last announced.
    private(set) var generation: UInt64 = 0
    private var outstanding: [TransactionID] = []
    /// Everything up to here is outstanding too: more changes came than are listed.
    private var floor: TransactionID?

    var isUp: Bool { !outstanding.isEmpty || floor != nil }

    mutating func catalogChangeApplied(by xid: TransactionID) {
        outstanding.append(xid)
        guard outstanding.count > Self.maxListed else { return }
        floor = outstanding.reduce(floor ?? xid, max)
        outstanding = []
    }

    /// The catalog was read under `snapshot` (taken before the reading). Whether it is up to date as far as is known.
    mutating func catalogRead(generation: UInt64, under snapshot: Snapshot) -> Bool {
        self.generation = generation
        outstanding.removeAll { snapshot.covers($0) }
        if let last = floor, last < snapshot.xmin { floor = nil }
        return !isUp
    }

    func admits(_ generation: UInt64) -> Bool {
        !isUp && generation == self.generation
    }
}
