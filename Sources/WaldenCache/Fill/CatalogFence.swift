import WaldenCore

/// Keeps fills away until the catalog has been read under a snapshot that sees
/// - everything that the stream will never tell of (`StartWindow`), and
/// - each change of the catalog that it has told of.
///
/// The first protects the results: whatever begins after such a reading sees what the reading saw, so no invisible
/// commit from before the stream can change a result later without a word. Both protect the dependencies: a result
/// filed under an outdated catalog would be dropped at the wrong changes. Reading the catalog again when a change
/// arrives is not enough, for it arrives before it is certain to be visible, and what changed while no stream ran was
/// never told at all; hence the snapshot.
struct CatalogFence: Hashable, Sendable {
    private static let maxListed = 64

    /// Of the catalog that was read last.
    private(set) var generation: UInt64 = 0
    private var outstanding: [TransactionID] = []
    /// Everything up to here is outstanding too: more changes came than are listed.
    private var floor: TransactionID?
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

    /// The catalog was read under `snapshot` (taken before the reading). Whether that lifts the fence.
    mutating func catalogRead(generation: UInt64, under snapshot: Snapshot) -> Bool {
        self.generation = generation
        outstanding.removeAll { snapshot.covers($0) }
        if let last = floor, last < snapshot.xmin { floor = nil }
        if let window = startWindow, !window.isOpen(for: snapshot) { startWindow = nil }
        return !isUp
    }

    /// Whether a statement analysed under this generation may fill.
    func admits(_ generation: UInt64) -> Bool {
        !isUp && generation == self.generation
    }
}
