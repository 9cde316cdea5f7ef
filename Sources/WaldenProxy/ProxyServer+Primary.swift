import NIOCore
import WaldenCache
public import WaldenCore
import WaldenPool

/// One node takes the role of primary from another, by order of whoever decides that.
///
///     hold ─► [drain] ─► raise ─► closeConnections ─► serve
///       └────────────────► serve, the same one again ◄─┘
extension ProxyServer {
    private static let drainLook = Duration.milliseconds(20)

    /// Who is the primary now.
    public var primary: NodeID { context.routes.primary }

    /// New work for the primary waits from now on, until `serve`.
    public func hold() {
        context.routes.hold()
        context.pools.stop(.node(context.routes.primary))
        guard context.cache.servesOutages else { return }
        for channel in context.connections.all { channel.pipeline.fireUserInboundEventTriggered(PrimaryHeld()) }
    }

    /// Returns when no client has a connection to the primary any more, or when it is served again. Transactions are let
    /// end; sessions that are bound to the server end between two of them.
    public func drain() async {
        let node = context.routes.primary
        context.routes.drain()
        let census = ConnectionCensus(connections: context.connections, context: context)
        while context.routes.isHeld, await census.leavePrimary(node) > 0 {
            try? await Task.sleep(for: Self.drainLook)
        }
        if context.routes.isHeld { await context.pools.pause(.node(node)) }
    }

    /// The term of whoever decides. False: a higher one has been heard of.
    public func raise(_ term: UInt64) -> Bool {
        context.routes.raise(term)
    }

    /// Ends all connections to the node, whatever is under way there.
    public func closeConnections(to node: NodeID) {
        context.pools.sever(node)
        for channel in context.connections.all {
            channel.pipeline.fireUserInboundEventTriggered(PrimarySevered(node: node))
        }
    }

    /// The node is the primary, and what waits for one goes on there.
    ///
    /// - Parameters: See `RouteTable.serve`.
    /// - Returns: False when the term is overruled.
    public func serve(
        _ node: NodeID, term: UInt64, knownSince version: UInt64, beginning: SwitchPoint?
    ) -> Bool {
        guard let old = context.routes.serve(node, term: term, knownSince: version, beginning: beginning) else {
            return false
        }
        context.cache.outageEnded()
        if old != node { context.pools.primaryMoved(from: old, to: node) }
        context.pools.resume(.node(old))
        return true
    }
}

/// New work for the primary waits from now on.
struct PrimaryHeld: Sendable {}

/// Nothing reaches the node from now on.
struct PrimarySevered: Sendable {
    let node: NodeID
}
