import Logging
import NIOCore
import WaldenCache
import WaldenCore
import WaldenSession
import WaldenWire

extension ProxyConnection {
    /// The link has unread bytes.
    func serverSent() {
        guard state == .relaying, let link else { return }
        if link.alternative != nil, !isAnswered(link) { return }
        readClock()
        processServer(link)
        // The unit goes to another server; this one's link is another's already, and its events with it.
        if state == .relaying, self.link !== link {
            processClient()
            clientReadEnded()
        }
    }

    func serverReadEnded() {
        switch pause {
        case .draining:
            pause = nil
            // The next read chooses its node anew.
            if context.routes.hasReplicas || link?.node != context.routes.primary { settleServer() }
            processClient()
        case .opening(let fills): transactionAnswered(fills: fills)
        case .waiting, .freshening, .acquiring, .leaving, nil: break
        }
        settleServer()
        countTraffic()
        flushClient()
        link?.flush()
        adjustReading()
        closeIfDrained()
        // Its next transaction would keep the others waiting.
        if context.routes.isDraining { _ = leavePrimary(context.routes.primary) }
    }

    func serverWritabilityChanged() {
        adjustReading()
    }

    func serverClosed() {
        guard state == .relaying else { return }
        context.log.debug("the server closed a connection")
        if machine?.isPooled ?? false {
            if case .leaving = pause { return close(cause: "client_terminated") }
            return pooledServerClosed()
        }
        close(cause: "server_closed")
    }

    /// Walks over what the server sent; runs of bytes that go to the client leave as one slice.
    private func processServer(_ link: ServerLink) {
        var relayed = 0
        while state == .relaying {
            let step = link.input.withUnsafeReadableBytes { bytes in
                machine?.nextServerStep(UnsafeRawBufferPointer(rebasing: bytes[relayed...]).bytes, now: now)
                    ?? .needMore
            }
            switch step {
            case .needMore:
                relay(&relayed, from: link)
                if link.input.readableBytes == 0 { link.input = ByteBuffer() }
                return
            case .relay(let byteCount): relayed += byteCount
            case .capture(let byteCount, let fill):
                keep(relayed..<(relayed + byteCount), of: link, for: FillID(rawValue: fill))
                relayed += byteCount
            case .swallow(let byteCount):
                relay(&relayed, from: link)
                link.input.moveReaderIndex(forwardBy: byteCount)
            case .replace(let byteCount, let bytes):
                relay(&relayed, from: link)
                link.input.moveReaderIndex(forwardBy: byteCount)
                clientOutput.writeBytes(bytes)
            case .rerun(let byteCount, let bytes):
                relay(&relayed, from: link)
                link.input.moveReaderIndex(forwardBy: byteCount)
                runAgain(bytes)
                return goOnElsewhere()
            case .backendKey(let byteCount, let key):
                relay(&relayed, from: link)
                link.input.moveReaderIndex(forwardBy: byteCount)
                give(key, of: link)
            case .fillBroken(let fill):
                capture.clear()
                abandon(FillID(rawValue: fill), .error)
            case .unitEnded(let byteCount, let fill):
                if let notice = machine?.takeNotice() {
                    relay(&relayed, from: link)
                    clientOutput.writeBytes(notice)
                }
                relayed += byteCount
                let isLogin = startupTimeout != nil
                startupTimeout?.cancel()
                startupTimeout = nil
                if let fill { complete(FillID(rawValue: fill)) }
                if let consoleRole {
                    relay(&relayed, from: link)
                    return enterConsole(consoleRole, .greeted)
                }
                if isLogin { serverUse = ServerUse() } else { unitAnswered() }
            case .becomeTransparent: break
            case .giveUp(let error):
                relay(&relayed, from: link)
                let isCommit = error.sqlState == .transactionResolutionUnknown
                fail(error, cause: isCommit ? "commit_unconfirmed" : "server_refused")
            case .violation(let error):
                relay(&relayed, from: link)
                context.log.error("the server broke the protocol", metadata: ["error": "\(error)"])
                fail(
                    ErrorResponse(
                        severity: .fatal, sqlState: .protocolViolation,
                        message: "the server sent a message that is not the PostgreSQL protocol: \(error)"),
                    cause: "server_violation")
            }
        }
    }

    func unitAnswered() {
        let isIdle = machine?.status == .idle
        traffic.queries &+= 1
        if isIdle { traffic.transactions &+= 1 }
        pooled?.unitAnswered(isIdle: isIdle)
        serverUse.end(now, isIdle: isIdle, isQuiescent: machine?.isQuiescent ?? true, &traffic)
    }

    /// Sends the first `byteCount` unread bytes to the client.
    private func relay(_ byteCount: inout Int, from link: ServerLink) {
        defer { byteCount = 0 }
        guard byteCount > 0 else { return }
        relayedBytes += byteCount
        clientOutput.write(byteCount, from: &link.input)
    }

    private func give(_ key: BackendKeyData, of link: ServerLink) {
        link.key = key
        giveCancelKey()
    }

    // MARK: Fills

    private func keep(_ range: Range<Int>, of link: ServerLink, for fill: FillID) {
        guard capture.readableBytes + range.count <= context.configuration.resultBytes else {
            capture.clear()
            machine?.giveUpFill(fill.rawValue)
            return abandon(fill, .tooLarge)
        }
        let start = link.input.readerIndex + range.lowerBound
        if let slice = link.input.getSlice(at: start, length: range.count) { capture.writeImmutableBuffer(slice) }
    }

    private func complete(_ fill: FillID) {
        if fill == auditFill { endAudit() }
        let replica = fill == pooled?.replicaFill ? link?.node : nil
        if fill == pooled?.replicaFill { pooled?.replicaFill = nil }
        // The cache's fill is asked for last: it takes every shard's lock.
        let compress =
            capture.readableBytes >= context.configuration.compressBytes && context.cache.isUnderPressure
        let keys = capture.withUnsafeReadableBytes { machine?.resultKeys(in: $0.bytes) ?? nil }
        let reply = CachedReply(capture, compress: compress, tag: context.cache.tag(of: fill))
        // A large reply shares the buffer; the next capture must not write into it.
        if capture.readableBytes > CachedReply.smallByteCount { capture = ByteBuffer() } else { capture.clear() }
        let completion = context.cache.completeFill(
            fill, payload: reply, payloadBytes: reply.heldBytes, keys: keys, now: now)
        context.waiters.wake(completion.waiters, with: SharedReply(reply: reply, replica: replica, readAt: now))
        if completion.wantsProbe { context.delegate.probeWanted() }
    }
}
