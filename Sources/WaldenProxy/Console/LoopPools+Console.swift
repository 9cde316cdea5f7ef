import NIOCore
import WaldenConsole
import WaldenCore
import WaldenPool
import WaldenSession

/// The links of one loop, as the console shows them.
extension LoopPools {
    /// Of links and of logins under way.
    var numbers: [LinkID] { Array(links.keys) + Array(logins.keys) }

    /// Nil: it has ended meanwhile.
    func row(of id: LinkID, _ clock: WallClock) -> ConnectionRow? {
        var row = ConnectionRow()
        row.kind = .server
        row.id = id.rawValue
        row.poolMode = settings.mode.rawValue
        if let login = logins[id] {
            row.state = .login
            row.belong(to: login.pool)
            row.connectedAt = clock.time(of: login.since)
            row.requestedAt = row.connectedAt
            return row
        }
        guard let link = links[id], let pooled = link.pooled else { return nil }
        row.belong(to: pooled.pool)
        row.describe(link)
        row.connectedAt = clock.time(of: pooled.bornAt)
        row.requestedAt = row.connectedAt
        row.closesSoon = pooled.isRetired
        switch pooled.state {
        case .resting(let since):
            row.state = now.elapsed(since: since) >= settings.times.check ? .used : .idle
        case .asked: row.state = .tested
        case .lent: row.state = .active
        case .awaitsCancels, .closing:
            row.state = .active
            row.closesSoon = true
        }
        if case .client(let client) = link.listener {
            row.link = client.identity.id
            row.applicationName = client.identity.applicationName
            row.requestedAt = clock.time(of: client.requestedAt)
        }
        return row
    }
}

extension ConnectionRow {
    fileprivate mutating func belong(to pool: LocalPool) {
        user = pool.key.user
        database = pool.key.database
        node = pool.key.node.description
    }
}
