import Testing
import WaldenCore

/// A snapshot as PostgreSQL prints it, `xmin:xmax:xip,…`.
func snapshot(_ text: String) -> Snapshot {
    guard let snapshot = Snapshot(text) else {
        Issue.record("\(text) is not a snapshot")
        return Snapshot(xmin: TransactionID(0), xmax: TransactionID(0), inProgress: [])
    }
    return snapshot
}
