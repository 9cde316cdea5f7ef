import NIOCore
import WaldenCache
import WaldenConsole
import WaldenCore
import WaldenPostgres
import WaldenProxy
import WaldenSession

/// What the parts are given of it.
extension Configuration {
    var cacheLimits: CacheConfiguration {
        CacheConfiguration(
            maxBytes: cacheBytes, maxResultBytes: resultBytes, maxStaleness: maxStaleness, maxSilence: maxSilence,
            outageStaleness: failover.isOn ? outageStaleness : .zero, maxPendingFills: maxPendingFills,
            judgesBenefit: admission == "benefit", recordsValues: explainsValues)
    }

    /// The prober's tick: the gate closes `maxStaleness` after the newest look, so several must fit in.
    var tickInterval: Duration { min(heartbeatInterval, maxStaleness / 4) }

    var consoleAccess: ConsoleAccess {
        ConsoleAccess(database: consoleDatabase, admins: consoleAdmins, readers: consoleReaders)
    }

    /// Hits per audit; 0: none.
    private var auditPeriod: UInt64 {
        auditRate > 0 ? UInt64(min(max(1, (1 / auditRate).rounded()), 1e15)) : 0
    }

    var poolSettings: PoolConfiguration {
        var settings = pool.settings
        settings.primaryIsReplaced = failover.isOn
        return settings
    }

    func proxyConfiguration(_ dsn: DSN, serverTLS: [ServerTLSSettings]) -> ProxyConfiguration {
        var session = SessionLimits()
        session.heldBytes = heldBytes
        var proxy = ProxyConfiguration(
            listen: listen, primary: dsn.endpoint, isCaching: isCaching,
            cachedDatabase: dsn.database ?? "", clients: maxClients, startupTimeout: startupTimeout.timeAmount,
            coalesceWait: coalesceWait.timeAmount, resultBytes: resultBytes, compressBytes: compressBytes,
            auditPeriod: auditPeriod, session: session,
            policy: SessionPolicy(
                defersBegin: defersBegin, consistency: ConsistencyLevel(name: consistency) ?? .session,
                retriesReads: failover.isOn, guardsCommits: failover.isOn,
                resolvesCommits: failover.isOn && failover.resolvesCommits),
            waitBudget: waitBudget.timeAmount)
        proxy.readOnlyListen = readOnlyListen
        proxy.clientTLS = tls.client
        proxy.serverTLS = serverTLS
        proxy.proxyHeader = ProxyHeaderPolicy(
            mode: ProxyHeaderPolicy.Mode(rawValue: proxyProtocol) ?? .off, trusted: proxyProtocolFrom)
        proxy.pool = poolSettings
        proxy.peerID = peerID == 0 ? nil : peerID
        // A list that all instances share names this one, too.
        proxy.peers = peers.filter { $0.key != peerID }
        proxy.maxLag = maxLag
        proxy.routeWait = routeWait
        proxy.settleWait = settleWait
        return proxy
    }
}

extension Duration {
    fileprivate var timeAmount: TimeAmount { .nanoseconds(wholeNanoseconds) }
}
