import WaldenAuth
import WaldenCore
import WaldenSession
import WaldenWire

/// What a client of a pool is told of its server before there is one.
extension ProxyConnection {
    /// What some server of the pool has told of itself before: the primary, or, for a client of the read-only address, a
    /// replica.
    var knownGreeting: ServerGreeting? {
        guard let pooled else { return nil }
        let nodes = info.listener == .readOnly ? context.routes.nodes : [context.routes.primary]
        for node in nodes {
            if let pool = pooled.pool(on: node), let greeting = pooled.pools.shared.greeting(of: pool.key) {
                return greeting
            }
        }
        return nil
    }

    /// Has the first server that can be reached tell; `arrived` goes on. A client of the read-only address needs no
    /// primary for it: any replica will do, however far behind it is.
    func awaitGreeting() {
        pooled?.awaitsGreeting = true
        guard info.listener == .readOnly else { return acquirePrimary() }
        var needs = ReadNeeds(level: .bounded, wroteAt: .distantPast, sawAt: .distantPast)
        needs.maxLag = .seconds(1_000_000_000)
        acquireLink(for: .read(needs))
    }
}

extension ParameterStatus {
    /// The same as the primary reports it: sessions change their nodes unseen.
    var asOfAnyNode: ParameterStatus {
        name == "in_hot_standby" ? ParameterStatus(name: name, value: "off") : self
    }
}
