import Logging
import NIOCore
import WaldenCache
import WaldenCore
import WaldenDependency
import WaldenSession
import WaldenWire

extension ProxyConnection {
    func clientSent(_ buffer: ByteBuffer) {
        readClock()
        requestedAt = now
        traffic.received += buffer.readableBytes
        var buffer = buffer
        if clientInput.readableBytes == 0 { clientInput = buffer } else { clientInput.writeBuffer(&buffer) }
        switch state {
        case .startup: processFront()
        case .authenticating: processLogin()
        case .relaying: processClient()
        case .connecting, .closed: break
        }
    }

    func clientReadEnded() {
        // The channel uses a receive buffer again that nobody holds.
        if clientInput.readableBytes == 0 { clientInput = ByteBuffer() }
        settleServer()
        countTraffic()
        flushClient()
        link?.flush()
        adjustReading()
    }

    func clientWritabilityChanged(to isWritable: Bool) {
        clientTakes = isWritable
        guard state != .closed, isWritable else { return }
        // Hits stopped here because the client did not read: go on with what it has asked since.
        readClock()
        processClient()
        clientReadEnded()
    }

    func clientClosed() {
        clientOutput.channelClosed()
        if state != .closed { context.log.trace("client closed its connection") }
        close(cause: "client_closed")
        context.clientLeft()
    }

    /// Takes the client's bytes step by step until they are used up or something must be waited for.
    func processClient() {
        while state == .relaying, pause == nil, clientInput.readableBytes > 0, clientTakesMore() {
            switch nextClientStep() {
            case .needMore: return
            case .forward(let byteCount, let replacing, let bypass):
                if let bypass { counters.count { $0.bypasses[bypass.label, default: 0] += 1 } }
                forward(Forwarding(byteCount: byteCount, replacing: replacing))
            case .answer(let byteCount, let reply):
                clientInput.moveReaderIndex(forwardBy: byteCount)
                clientOutput.writeBytes(reply)
                counters.count { $0.localAnswers += 1 }
                answered(endsTransaction: machine?.isQuiescent ?? false)
            case .tell(let bytes): clientOutput.writeBytes(bytes)
            case .acquire(let demand): acquire(demand, to: .goOn)
            case .openTransaction:
                sendInjection()
                pause = .draining
            case .lookup: lookUp(mayWait: true)
            case .drain: pause = .draining
            case .resolved(let outcome, let byteCount, let bytes, let end):
                clientInput.moveReaderIndex(forwardBy: byteCount)
                clientOutput.writeBytes(bytes)
                resolved(outcome, end)
            case .terminate(let byteCount): terminate(byteCount)
            case .violation(let error):
                context.log.info("closing a client that broke the protocol", metadata: ["error": "\(error)"])
                fail(ErrorResponse(error), cause: "protocol_violation")
            }
        }
    }

    /// Ends the session as PostgreSQL does: once what was asked before is answered.
    private func terminate(_ byteCount: Int) {
        let owesAnswers = machine?.owesAnswers ?? false
        let drains = machine?.isPooled ?? false && !(machine?.answersAreUncertain ?? false)
        if drains || link == nil {
            guard !owesAnswers else { return pause = .draining }
        } else {
            forward(Forwarding(byteCount: byteCount))
            guard !owesAnswers else {
                clientInput = ByteBuffer()
                return pause = .leaving
            }
        }
        close(cause: "client_terminated")
    }

    private func nextClientStep() -> ClientStep {
        clientInput.withUnsafeReadableBytes { bytes in
            machine?.nextClientStep(bytes.bytes, context) ?? .needMore
        }
    }

    private func forward(_ sent: Forwarding) {
        arrivedAt = nil
        countRead()
        serverUse.begin(now)
        clientInput.moveReaderIndex(forwardBy: sent.replacing)
        sendInjection()
        let byteCount = sent.byteCount - sent.replacing
        forwardedBytes += byteCount
        link?.output.write(byteCount, from: &clientInput)
    }

    /// True while the client takes more.
    private func clientTakesMore() -> Bool {
        clientOutput.limitBatch()
        return clientTakes
    }

    func sendInjection() {
        guard machine?.hasInjection ?? false else { return }
        writeInjection()
        machine?.injectionSent()
    }

    private func writeInjection() {
        if let bytes = machine?.injection { link?.output.writeBytes(bytes) }
    }

    /// The server has said something while it was being brought to the state that the unit at the front needs.
    func transactionAnswered(fills: Bool) {
        if machine?.isOpeningTransaction ?? true { return }
        pause = nil
        if fills { fillOrForward() } else { forwardUnit(fill: takeHeldFill()) }
        processClient()
    }

    // MARK: Cached units

    /// Answers the unit at the front with a kept result, or waits until those before it are answered.
    ///
    /// - Parameters:
    ///   - position: What it shows, see `hitAccepted`.
    ///   - notice: Sent before its first message: the protocol allows notices everywhere.
    func answer(with reply: CachedReply, showing position: LSN?, notice: [UInt8]? = nil) {
        guard let frame = machine?.hitAccepted(showing: position) else {
            pause = .draining
            return
        }
        arrivedAt = nil
        pooled?.read = nil
        clientInput.moveReaderIndex(forwardBy: frame.byteCount)
        if let notice { clientOutput.writeBytes(notice) }
        if frame.bindComplete {
            clientOutput.writeStaticString(frame.parseComplete ? HitFrames.parseAndBind : HitFrames.bind)
        }
        clientOutput.write(reply)
        clientOutput.writeStaticString(HitFrames.end(of: frame))
        answered(endsTransaction: !frame.isInTransaction)
    }

    /// A unit was answered without its server.
    private func answered(endsTransaction: Bool) {
        traffic.queries &+= 1
        if endsTransaction { traffic.transactions &+= 1 }
        pooled?.unitAnswered(isIdle: endsTransaction)
    }

    /// - Parameter isAudit: There was a hit; it is not served but compared with what the server answers.
    func fillOrForward(isAudit: Bool = false) {
        let missed = clientInput.withUnsafeReadableBytes { bytes in machine?.missed(bytes.bytes, context) }
        switch missed {
        case .fill(let dependencies, let generation, let policy, let level):
            begin(dependencies, generation, policy, level, isAudit: isAudit)
        case .openTransaction:
            // An audit is given up for it: asked again, the cache refuses what it has.
            sendInjection()
            pause = .opening(fills: true)
        case .acquire(let demand): acquire(demand, to: .fill)
        case .tell(let bytes):
            clientOutput.writeBytes(bytes)
            fillOrForward(isAudit: isAudit)
        case .pass(let bypass):
            counters.count { $0.bypasses[bypass.label, default: 0] += 1 }
            forwardUnit(fill: nil)
        case nil: break
        }
    }

    private func begin(
        _ dependencies: Dependencies, _ generation: UInt64, _ policy: StatementPolicy?, _ level: ConsistencyLevel?,
        isAudit: Bool
    ) {
        guard let key = machine?.key, let needs = machine?.needs(arrivedAt: arrivedAt ?? now) else { return }
        guard let server = fillServer(isAudit: isAudit) else { return }
        let decision = context.cache.beginFill(
            key: key, dependencies: dependencies, generation: generation, now: now,
            notOlderThan: needs.instant(level), joinsPrimary: machine?.unsettledRead(level) == nil, on: server,
            policy: policy, level: level, isAudit: isAudit)
        switch decision {
        case .fill(let fill):
            if isAudit { auditFill = fill }
            if case .standby = server {
                pooled?.read?.isFilling = true
                pooled?.replicaFill = fill
            }
            forwardUnit(fill: fill.rawValue)
        case .join(let fill): join(fill)
        case .refused(let refusal):
            if case .noHorizon = refusal { context.delegate.probeWanted() }
            forwardUnit(fill: nil)
        }
    }

    func forwardUnit(fill: UInt64?) {
        let step = clientInput.withUnsafeReadableBytes { bytes in
            machine?.prepareToForward(
                bytes.bytes, context, hasFill: fill != nil, fillsOnReplica: pooled?.read?.isFilling ?? false)
                ?? .forward
        }
        switch step {
        case .forward: sendUnit(fill: fill)
        case .forwardWithoutFill:
            if let fill { abandon(FillID(rawValue: fill), .incomplete) }
            sendUnit(fill: nil)
        case .openTransaction:
            heldFill = fill
            sendInjection()
            pause = .opening(fills: false)
        case .acquire(let demand):
            heldFill = fill
            acquire(demand, to: .forward)
        case .tell(let bytes):
            clientOutput.writeBytes(bytes)
            forwardUnit(fill: fill)
        }
    }

    private func sendUnit(fill: UInt64?) {
        let sent = clientInput.withUnsafeReadableBytes { bytes in
            machine?.forwardUnit(bytes.bytes, context, fill: fill) ?? Forwarding(byteCount: 0)
        }
        forward(sent)
    }

    // MARK: Coalescing

    private func join(_ fill: FillID) {
        guard let loop = client?.eventLoop else { return }
        if machine?.mayRelease ?? false { releaseServer() }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let waiter = context.waiters.add { reply in
            loop.execute { bound.value.waitEnded(with: reply) }
        }
        guard context.cache.addWaiter(waiter, to: fill) else {
            context.waiters.remove(waiter)
            return forwardUnit(fill: nil)
        }
        let timeout = loop.assumeIsolated().scheduleTask(in: context.configuration.coalesceWait) {
            self.waitTimedOut()
        }
        pause = .waiting(Wait(fill: fill, waiter: waiter, timeout: timeout))
    }

    private func waitTimedOut() {
        guard case .waiting(let wait) = pause else { return }
        // Woken at the same moment: that answer is on its way to this loop.
        guard context.waiters.remove(wait.waiter) else { return }
        context.cache.removeWaiter(wait.waiter, from: wait.fill)
        resume(with: nil)
    }

    private func waitEnded(with reply: SharedReply?) {
        guard case .waiting(let wait) = pause else { return }
        wait.timeout.cancel()
        if reply != nil { counters.count { $0.coalesced += 1 } }
        resume(with: reply)
    }

    private func resume(with shared: SharedReply?) {
        pause = nil
        readClock()
        if let shared {
            machine?.saw(resultOf: shared.replica, endedAt: shared.readAt)
            answer(with: shared.reply, showing: nil)
        } else {
            forwardUnit(fill: nil)
        }
        processClient()
        clientReadEnded()
    }
}

/// The constant messages around a cached result.
private enum HitFrames {
    static let bind: StaticString = "2\0\0\0\u{4}"
    static let parseAndBind: StaticString = "1\0\0\0\u{4}2\0\0\0\u{4}"

    static func end(of frame: HitFrame) -> StaticString {
        switch (frame.closeComplete, frame.isInTransaction) {
        case (false, false): "Z\0\0\0\u{5}I"
        case (false, true): "Z\0\0\0\u{5}T"
        case (true, false): "3\0\0\0\u{4}Z\0\0\0\u{5}I"
        case (true, true): "3\0\0\0\u{4}Z\0\0\0\u{5}T"
        }
    }
}
