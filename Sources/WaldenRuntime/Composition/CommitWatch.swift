import WaldenCore
import WaldenPostgres
import WaldenProxy

/// Tells the proxy what server processes are at, as the sentinel's role sees it.
final class CommitWatch: CommitSource {
    /// By `NodeID.index`.
    private let looks: [CommitLook]

    /// - Parameter servers: As the sentinel reaches them, by `NodeID.index`.
    init(_ servers: [DSN]) throws(PostgresError) {
        looks = try servers.map { dsn throws(PostgresError) in try CommitLook(dsn) }
    }

    func danger(to processID: Int32, at node: NodeID) -> CommitDanger? {
        guard looks.indices.contains(node.index) else { return .unknown("there is no \(node)") }
        do throws(PostgresError) {
            switch try looks[node.index].find(processID) {
            case .elsewhere: return nil
            case .awaitsStandbys: return .awaitsStandbys
            case .flushes: return .unknown("the server process flushes the log")
            case .gone: return .unknown("the server has no process \(processID)")
            case .hidden:
                return .unknown("the sentinel's role may not see it; GRANT pg_monitor or pg_read_all_stats to it")
            }
        } catch {
            return .unknown("\(error)")
        }
    }

    func stop() {
        for look in looks { look.stop() }
    }
}
