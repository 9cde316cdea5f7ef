import Logging
import NIOCore
import WaldenCache
import WaldenCore
import WaldenSession
import WaldenWire

/// Cancel requests: those that come in on a connection of their own, and those that are meant for this one's session.
extension ProxyConnection {
    /// This connection has brought a cancel request. It is closed when the server has acted on it, as PostgreSQL does,
    /// so that who waits for that knows.
    func bringCancel(_ request: CancelRequest) {
        guard let loop = client?.eventLoop else { return }
        counters.count { $0.cancelRequests += 1 }
        state = .connecting
        let bound = NIOLoopBound(self, eventLoop: loop)
        switch context.cancels.addressing.destination(of: request) {
        case .here(let request):
            context.cancels.cancel(request) {
                loop.execute { bound.value.close(cause: "cancel_request") }
            }
        case .instance(let number, let request): forward(request, to: number)
        case .nowhere: close(cause: "cancel_request")
        }
    }

    /// Another instance gave the key. Whether the secret is right is for that one to see.
    private func forward(_ request: CancelRequest, to instance: Int) {
        guard let peer = context.peers[instance], let loop = client?.eventLoop else {
            return close(cause: "cancel_request")
        }
        counters.count { $0.cancelRequestsForwarded += 1 }
        send(request, by: peer, on: loop) { result in
            if case .unreachable(let reason) = result {
                self.context.log.warning(
                    "a cancel request could not be passed on",
                    metadata: ["peer": "\(instance)", "address": "\(peer.endpoint)", "reason": "\(reason)"])
            }
            self.close(cause: "cancel_request")
        }
    }

    /// What has become of a cancel request.
    private enum Delivery {
        case taken
        case withheld
        case unreachable(String)
        /// The connection was not closed in time.
        case unanswered
    }

    /// Sends it on a connection of its own, and waits until the other end has closed that.
    ///
    /// - Parameter clearance: Says at the last moment, when nothing is left but to write, whether it may go.
    private func send(
        _ request: CancelRequest, by connector: ServerConnector, on loop: any EventLoop,
        if clearance: @escaping (_ decide: @escaping (Bool) -> Void) -> Void = { $0(true) },
        _ done: @escaping (Delivery) -> Void
    ) {
        connector.connectOnly(on: loop).assumeIsolated().whenComplete { result in
            switch result {
            case .failure(let error): return done(.unreachable(ConnectionFailure.words(for: error)))
            case .success(let connection):
                clearance { mayGo in
                    if mayGo { return self.write(request, to: connection.channel, on: loop, done) }
                    connection.channel.close(promise: nil)
                    done(.withheld)
                }
            }
        }
    }

    private func write(
        _ request: CancelRequest, to channel: any Channel, on loop: any EventLoop,
        _ done: @escaping (Delivery) -> Void
    ) {
        var packet: [UInt8] = []
        request.encode(into: &packet)
        var isUnderWay = true
        let timeout = loop.assumeIsolated().scheduleTask(in: context.pools.settings.cancelTimeout) {
            isUnderWay = false
            done(.unanswered)
            channel.close(promise: nil)
        }
        channel.closeFuture.assumeIsolated().whenComplete { _ in
            timeout.cancel()
            if isUnderWay { done(.taken) }
        }
        channel.writeAndFlush(ByteBuffer(bytes: packet), promise: nil)
    }

    func giveCancelKey() {
        guard let loop = client?.eventLoop,
            let own = context.cancels.register(
                self, on: loop, secretByteCount: cancelSecretByteCount,
                serverProcessID: pooled == nil ? link?.key?.processID : nil)
        else { return }
        cancelKey = own
        clientOutput.writeBytes(own.encoded())
    }

    /// Somebody who holds the client's key wants what it is doing to end.
    ///
    /// What waits for a link leaves the queue. What a server does is cancelled there, and the server's link serves
    /// nobody else until the server has closed the cancel request's connection: by then it has sent the signal, and a
    /// signal that finds its session idle has no effect on what comes next (PostgreSQL `ProcessInterrupts`).
    ///
    /// One that could end a commit's wait for its standbys is not sent, and is answered as any: by nothing.
    func cancelRequested(done: @escaping @Sendable () -> Void) {
        // No server has anything that could be cancelled.
        if machine?.isInDoubt ?? false {
            counters.count { $0.cancelsWithheld += 1 }
            return done()
        }
        if pooled?.waiting != nil || pooled?.routeWait != nil {
            cancelWaiting()
            return done()
        }
        guard state == .relaying, let link, let key = link.key, let loop = client?.eventLoop else { return done() }
        let pools = pooled?.pools
        pools?.cancelBegan(on: link)
        let request = CancelRequest(processID: key.processID, secret: key.secret)
        let connector = context.pools.connector(to: link.node)
        send(request, by: connector, on: loop) { decide in
            self.clear(key, of: link, on: loop, decide)
        } _: { result in
            // One that reached nobody hits nobody.
            let isCertain = if case .unanswered = result { false } else { true }
            pools?.cancelEnded(on: link, isCertain: isCertain)
            done()
        }
    }

    /// Decides whether the server process that serves the client may be cancelled now (docs/adr/0054).
    private func clear(
        _ key: BackendKeyData, of link: ServerLink, on loop: any EventLoop, _ decide: @escaping (Bool) -> Void
    ) {
        guard let commits = context.commits else { return decide(true) }
        // The client has been answered, and its transaction would fail of a question that it has not asked.
        if machine?.isBeingNamed ?? false { return decide(false) }
        switch pendingCommit {
        case .none: return decide(true)
        case .atHand: return decide(mayCancel(link, nil))
        case .possible: break
        }
        commits.look(at: key.processID, of: link.node, on: loop) { danger in
            decide(self.mayCancel(link, danger))
        }
    }

    private var pendingCommit: PendingCommit { machine?.pendingCommit ?? .possible }

    /// By what has just been found out of the server process, and by what the client has asked for since.
    private func mayCancel(_ link: ServerLink, _ danger: CommitDanger?) -> Bool {
        // It serves the client no more: what was to be cancelled has ended.
        guard state == .relaying, self.link === link else { return false }
        let reason: String
        switch (pendingCommit, danger) {
        case (.none, _), (.possible, nil): return true
        case (.atHand, _): reason = "the transaction is at its COMMIT"
        case (.possible, .awaitsStandbys): reason = "its commit waits for standbys"
        case (.possible, .unknown(let words)): reason = "it may be committing, and cannot be looked at: \(words)"
        }
        counters.count { $0.cancelsWithheld += 1 }
        context.log.info(
            "a cancel request is withheld from the server",
            metadata: ["node": "\(link.node)", "client": "\(identity.id)", "reason": "\(reason)"])
        return false
    }

    private func cancelWaiting() {
        guard let pooled else { return }
        endRouteWait()
        if let waiting = pooled.waiting {
            pooled.waiting = nil
            pooled.pools.stopWaiting(waiting.waiter, in: waiting.pool)
        }
        let error = ErrorResponse(
            sqlState: .queryCanceled, message: "canceling statement due to user request",
            detail: "The statement was waiting for a server connection.")
        refuseFront(
            error, cause: "cancelled_waiting",
            else: ErrorResponse(
                severity: .fatal, sqlState: .queryCanceled, message: "canceling statement due to user request",
                detail: "The session was waiting for a server connection in the middle of a transaction."))
    }

    /// Answers the unit at the front, which waits for a server, with `error`; the session ends with `fatal` where it
    /// cannot go on after that.
    func refuseFront(_ error: ErrorResponse, cause: String, else fatal: ErrorResponse) {
        let refusal = clientInput.withUnsafeReadableBytes { machine?.refuseFront($0.bytes, error) ?? nil }
        guard let refusal, let pooled, !pooled.awaitsGreeting else { return fail(fatal, cause: cause) }
        pooled.read = nil
        if case .acquiring = pause { pause = nil }
        if let fill = takeHeldFill() { abandon(FillID(rawValue: fill), .error) }
        afterAcquiring = .goOn
        arrivedAt = nil
        clientInput.moveReaderIndex(forwardBy: refusal.byteCount)
        clientOutput.writeBytes(refusal.answer)
        readClock()
        processClient()
        clientReadEnded()
    }
}
