import Logging
import NIOCore
import WaldenCache
import WaldenCore
import WaldenSession
import WaldenWire

/// A client that is served by changing servers: what it needs, and when it can do without.
extension ProxyConnection {
    /// Takes a server as the session needs it and goes on with `continuation` when it is there.
    func acquire(_ demand: ServerDemand, to continuation: Continuation) {
        if case .confirm(let needs) = demand {
            afterAcquiring = continuation
            return confirm(needs)
        }
        releaseServer()
        afterAcquiring = continuation
        acquireLink(for: demand)
    }

    /// The client's new server: the session is brought to it before anything else is sent there.
    func serverAcquired(_ session: ServerSession) {
        machine?.attach(session)
        proceed()
    }

    /// The server that the session is bound to may serve the unit at the front.
    func serverConfirmed() {
        machine?.confirmServer()
        proceed()
    }

    private func proceed() {
        let continuation = afterAcquiring
        afterAcquiring = .goOn
        switch continuation {
        case .goOn: break
        case .fill: fillOrForward()
        case .forward: forwardUnit(fill: takeHeldFill())
        }
        processClient()
        settleServer()
    }

    /// When nothing is under way any more, asks what the session has left on its server, or gives it back.
    func settleServer() {
        guard state == .relaying, link != nil, machine?.isPooled ?? false else { return }
        switch pause {
        // Also while another client's answer is awaited, which may itself wait for this link.
        case .waiting, .freshening, nil: break
        case .draining, .opening, .acquiring, .leaving: return
        }
        switch machine?.settle() ?? .keep {
        case .keep: break
        case .ask: sendInjection()
        case .release: releaseServer()
        }
    }

    /// The unit goes back to the front, for another server.
    func runAgain(_ bytes: [UInt8]) {
        var input = ByteBuffer(bytes: bytes)
        input.writeBuffer(&clientInput)
        clientInput = input
        if let fill = pooled?.replicaFill { abandon(fill, .error) }
        releaseServer()
    }

    /// The client has been told what has become of a COMMIT that was in doubt.
    func resolved(_ outcome: CommitOutcome, _ end: ErrorResponse?) {
        count(outcome)
        if let end { fail(end, cause: "server_closed") } else { unitAnswered() }
    }

    func count(_ outcome: CommitOutcome) {
        counters.count { $0.commitsInDoubt[outcome.rawValue, default: 0] += 1 }
        context.log.info(
            "a commit was in doubt", metadata: ["client": "\(identity.id)", "outcome": "\(outcome.rawValue)"])
    }

    /// The connection of the server that serves the session has ended.
    func pooledServerClosed() {
        readClock()
        if let fill = takeHeldFill() { abandon(FillID(rawValue: fill), .connectionLost) }
        for fill in machine?.unfinishedFills() ?? [] { abandon(FillID(rawValue: fill), .connectionLost) }
        switch machine?.serverLost(now) ?? .unnoticed {
        case .unnoticed: releaseServer()
        case .rerun(let bytes): runAgain(bytes)
        case .end(let error?): return fail(error, cause: "server_closed")
        case .end(nil): return close(cause: "server_closed")
        }
        goOnElsewhere()
    }

    /// The server that was waited for is not the session's any more, and will not wake it.
    func goOnElsewhere() {
        pause = nil
        readClock()
        processClient()
        clientReadEnded()
    }
}
