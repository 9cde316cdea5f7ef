import WaldenCore
import WaldenDependency

/// What fills on standbys may lack although the cache has applied it: the transactions that the slowest of the standbys
/// has not replayed.
///
/// The recent list does not serve them: it forgets what every reader of the primary sees. While no standby may fill,
/// nothing is kept here and none is admitted. Bounded like the recent list, and apart from it, so that a standby that
/// lags for hours costs the primary's fills nothing.
///
/// A standby also runs the query under its own, older catalog, whereas the statement was analysed under the primary's.
/// So it must have replayed all that the last reading of the catalog saw (`floor`).
struct StandbyLog: Sendable {
    private var unreplayed: RecentList
    /// What a standby must have replayed at least. Transactions up to here are not kept.
    private var floor = LSN.zero
    private var isKept = false
    /// The catalog was read under this snapshot; the first probe that sees as much tells the position.
    private var catalogRead: Snapshot?

    init(bounds: RecentList.Bounds) {
        unreplayed = RecentList(bounds: bounds)
    }

    var count: Int { unreplayed.count }

    mutating func streamStarted(at consistentPoint: LSN) {
        unreplayed.removeAll()
        floor = consistentPoint
    }

    /// - Parameter slowest: How far the slowest standby that may fill has replayed; nil when none may.
    mutating func replayed(_ slowest: LSN?, watermark: LSN) {
        guard let slowest else {
            isKept = false
            unreplayed.removeAll()
            return
        }
        if !isKept { floor = max(floor, watermark) }
        isKept = true
        unreplayed.prune(coveredBy: .standby(slowest))
        // What has just been pruned is unknown from now on.
        floor = max(floor, min(slowest, watermark))
    }

    mutating func add(_ transaction: CommittedTransaction, xid: TransactionID) {
        if isKept, transaction.endLSN > floor { unreplayed.add(transaction, xid: xid) }
    }

    /// The catalog that statements are analysed under was read under `snapshot`. (From a change on of which the stream
    /// tells until the reading that contains it, no fill begins: `CatalogFence`.)
    mutating func catalogRead(under snapshot: Snapshot) {
        catalogRead = snapshot
    }

    mutating func probeCompleted(_ probe: Probe) {
        guard let seen = catalogRead, probe.snapshot.seesAll(of: seen) else { return }
        floor = max(floor, probe.insertLSN)
        catalogRead = nil
    }

    /// Whether a query may fill on a standby that has replayed up to `position`.
    func admits(_ position: LSN) -> Bool {
        isKept && catalogRead == nil && position >= floor
    }

    func taint(of dependencies: Dependencies, under horizon: Horizon, leaving: inout LeavingRows) -> Taint? {
        unreplayed.taint(of: dependencies, under: horizon, leaving: &leaving)
    }
}
