import NIOCore
import WaldenCore
import WaldenSession
import WaldenWire

/// What becomes of a client while one node takes the role of primary from another.
extension ProxyConnection {
    /// Runs `body` as soon as the primary may be used: at once, unless it is being replaced.
    func whenServed(_ body: @escaping (any Channel, NodeID) -> Void) {
        guard let client, state == .connecting else { return }
        let bound = NIOLoopBound((connection: self, body: body), eventLoop: client.eventLoop)
        let waiter = context.routes.wait(for: .serving, now: now) {
            bound.eventLoop.execute { bound.value.connection.whenServed(bound.value.body) }
        }
        // The startup timeout ends the wait at the latest.
        if waiter == nil { body(client, context.routes.primary) }
    }

    /// Whether what was begun at the node may go on there.
    func isServed(by node: NodeID) -> Bool {
        node == context.routes.primary && !context.routes.isHeld
    }

    /// The node is about to be replaced as the primary: a session that is bound to it ends at a moment at which nothing is
    /// lost by it.
    ///
    /// - Returns: Whether the client still has a connection there.
    func leavePrimary(_ node: NodeID) -> Bool {
        guard state == .relaying, link?.node == node else { return false }
        guard machine?.isQuiescent ?? true, clientInput.readableBytes == 0 else { return true }
        settleServer()
        // The server is asked what binds the session to it.
        guard machine?.isQuiescent ?? true else {
            link?.flush()
            return true
        }
        if link != nil { fail(.primaryReplaced, cause: "primary_replaced") }
        return false
    }

    /// Nothing reaches the node from now on. Links of pools tell by themselves that they are closed.
    func primarySevered(_ node: NodeID) {
        guard let link, link.node == node, link.pooled == nil else { return }
        fail(.primaryReplaced, cause: "primary_replaced")
    }
}

extension ErrorResponse {
    static let primaryReplaced = ErrorResponse(
        severity: .fatal, sqlState: .adminShutdown,
        message: "terminating connection because another node becomes the primary",
        detail: "The session was bound to the server that was the primary.", hint: "Connect again.")
}
