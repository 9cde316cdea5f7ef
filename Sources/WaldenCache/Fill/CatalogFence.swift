import WaldenCore

/// Keeps fills away while the catalog under which statements are analysed may be out of date: a result filed under the
/// wrong dependencies would be dropped at the wrong changes.
///
/// A change of the catalog arrives in the stream before it is certain to be visible, so reading the catalog again is
/// not enough: the reading counts only under a snapshot that covers the change. And what changed while no stream ran
/// was never told, so each stream start asks for a reading made since.
struct CatalogFence: Hashable, Sendable {
    private static let maxListed = 64

    /// Of the catalog that `catalogChanged` last announced.
    private(set) var generation: UInt64 = 0
    private var outstanding: [TransactionID] = []
    /// Everything up to here is outstanding too: more changes came than are listed.
    private var floor: TransactionID?
    /// The catalog has not been read yet under a snapshot that sees all from before the stream.
    private var startWindow: StartWindow?

    var isUp: Bool { !outstanding.isEmpty || floor != nil || startWindow != nil }

    mutating func streamStarted(_ window: StartWindow) {
        outstanding = []
        floor = nil
        startWindow = window
    }

    mutating func transactionDelivered(_ xid: TransactionID, changesCatalog: Bool) {
        startWindow?.transactionDelivered(xid)
        guard changesCatalog else { return }
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
        if let window = startWindow, !window.isOpen(for: .primary(snapshot)) { startWindow = nil }
        return !isUp
    }

    func admits(_ generation: UInt64) -> Bool {
        !isUp && generation == self.generation
    }
}
