import WaldenCore

/// Keeps fills away until the catalog has been read under a snapshot that sees
/// - everything that the stream will never tell of (`StartWindow`),
/// - each change of the catalog that it has told of, and
/// - what a probe saw changed that is in no log (roles, event triggers).
///
/// The first protects the results: whatever begins after such a reading sees what the reading saw, so no invisible
/// commit from before the stream can change a result later without a word. All protect the dependencies: a result
/// filed under an outdated catalog would be dropped at the wrong changes. So a fill is analysed under a catalog that
/// lacks only changes that the stream is still to tell of; each of those, told, drops what it touches, whatever the
/// fill's horizon. Reading the catalog again when a change
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
    /// What this sees must be seen by the next reading.
    private var unlogged: Snapshot?

    var isUp: Bool { !outstanding.isEmpty || floor != nil || startWindow != nil || unlogged != nil }

    mutating func streamStarted(_ window: StartWindow) {
        outstanding = []
        floor = nil
        // A reading that closes the window is as late as the stream's start.
        unlogged = nil
        startWindow = window
    }

    /// A probe with this snapshot saw a change that the stream does not tell of.
    mutating func unloggedChangeSeen(under snapshot: Snapshot) {
        unlogged = snapshot
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
        if let seen = unlogged, snapshot.seesAll(of: seen) { unlogged = nil }
        return !isUp
    }

    /// Whether a statement analysed under this generation may fill.
    func admits(_ generation: UInt64) -> Bool {
        !isUp && generation == self.generation
    }
}
