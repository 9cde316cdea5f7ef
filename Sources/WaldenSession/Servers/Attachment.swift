import DequeModule
public import WaldenCore
public import WaldenWire

/// Taking servers and giving them back.
extension SessionMachine {
    /// Whether the session takes its servers from a pool.
    public var isPooled: Bool { pooled != nil }

    /// Whether a pooled session has a server now.
    public var hasServer: Bool { pooled?.server != nil }

    /// What binds a pooled session to its server now, in order of names.
    public var pins: [Pin] { pooled?.pins.sorted() ?? [] }

    /// What a client is told at the end of its authentication, without BackendKeyData, for `parameters` that a server of
    /// its pool reported: ParameterStatus for each, after what there is to say of its `application_name`. ReadyForQuery
    /// follows it.
    public mutating func welcome(_ parameters: [ParameterStatus]) -> [UInt8] {
        guard let pooled else { return [] }
        var reported = ReportedParameters(parameters)
        var bytes: [UInt8] = []
        if let given = pooled.applicationName {
            let name = ApplicationName(given, server: reported)
            pooled.applicationName = name.value
            pooled.assigned = pooled.assigned.assigning("application_name", name.value)
            reported = reported.reporting("application_name", String(decoding: name.value, as: UTF8.self))
            if let notice = name.notice, settings.startupShowsNotices { notice.encode(into: &bytes) }
        }
        for status in reported.differences(from: .none) {
            shown(status).encode(into: &bytes)
            settings.parameterReported(name: status.name, value: status.value)
        }
        pooled.told = reported
        return bytes
    }

    /// Whether `server` can be brought to the session's state: it has no custom setting that the session has not, or is
    /// about to assign before anything may read it (docs/adr/0040).
    public func mayUse(_ server: ServerSession) -> Bool {
        guard let pooled else { return true }
        if let doubt = pooled.doubt, !doubt.isSettled(by: server) { return false }
        let names = server.assigned.customNames
        if names.isEmpty || server.assigned === pooled.assigned { return true }
        return names.isSubset(of: pooled.assigned.customNames.union(pooled.promised))
    }

    /// To a client of the read-only address each server is a standby, so that what asks for one
    /// (`target_session_attrs`) is content; to all others none is, wherever their reads run.
    private func shown(_ status: ParameterStatus) -> ParameterStatus {
        guard pooled?.pooling.isReadOnly ?? false, status.name == "in_hot_standby" else { return status }
        return ParameterStatus(name: status.name, value: "on")
    }

    /// The session is served by `server` from now on, which no other session uses.
    public mutating func attach(_ server: ServerSession) {
        guard pooled != nil else { return }
        pooled?.server = server
        pooled?.promised = []
        pooled?.isConfirmed = true
        pooled?.sequences.hasWrittenHere = false
        takeDefaults(of: server)
    }

    /// The session has no server any more.
    public mutating func detach() {
        pooled?.server = nil
        serverSkip = 0
    }

    /// Whether nothing holds the session to its server: every unit has ended, no transaction is open, nothing is bound.
    public var mayRelease: Bool {
        guard let pooled, pooled.server != nil else { return false }
        return isAtRest && pooled.leavesNothing
    }

    /// No unit is under way, no transaction open at the server, no message half sent.
    var isAtRest: Bool {
        units.isEmpty && !isUnitOpen && status == .idle && clientSkip == 0 && serverSkip == 0 && !isRelayOnly
            && phase == .ready && injection.isEmpty
    }

    /// In which state the server is left if the client is gone now.
    public var abandonment: Abandonment {
        guard let pooled, let server = pooled.server, !server.isSpoiled else { return .close }
        if mayRelease { return .clean }
        let isBetweenUnits =
            units.isEmpty && !isUnitOpen && clientSkip == 0 && serverSkip == 0 && !isRelayOnly && phase == .ready
            && injection.isEmpty
        return isBetweenUnits && pooled.leavesNothing && status != .idle ? .rollback : .close
    }

    /// The server's connection has ended.
    public mutating func serverLost(_ now: Instant) -> ServerLoss {
        guard let state = pooled else { return .end(nil) }
        defer { detach() }
        if let held = units.first?.heldRead, units.count == 1 {
            state.runsAgain(notOn: state.server?.node)
            forgetUnits()
            return .rerun(held)
        }
        if let unanswered = units.last?.unansweredRead, isAlone {
            forgetUnits()
            return .rerun(unanswered)
        }
        if mayRelease { return .unnoticed }
        if let held = doubtfulCommit(now) {
            forgetUnits()
            return .rerun(held)
        }
        if isBeingPrepared || isInDoubt {
            forgetUnits()
            return .unnoticed
        }
        if state.hasRelayedFatal { return .end(nil) }
        if isRelayOnly || units.contains(where: { $0.mayCommit(in: status) }) {
            return .end(.outcomeUnknown())
        }
        return .end(lost(boundBy: state.pins))
    }

    /// Whether the session goes on, with another server, when this one is lost now.
    var outlivesServer: Bool { isBeingPrepared || isInDoubt || isAlone && units.last?.unansweredRead != nil }

    /// Of what is under way the client has asked nothing: a server that takes the place of this one is brought to the
    /// session's state as well.
    private var isBeingPrepared: Bool {
        guard let pooled, status == .idle, !transaction.isOpening, clientSkip == 0, !isUnitOpen else { return false }
        return pooled.isFree
            && units.allSatisfy { $0.isHidden && $0.purpose.isAskedAnew }
    }

    /// In PostgreSQL's code for sessions that end with their server, which clients know how to begin anew after.
    private func lost(boundBy pins: Set<Pin>) -> ErrorResponse {
        let detail =
            if status != .idle {
                "A transaction was open; nothing of it is left."
            } else if !pins.isEmpty {
                "The session was bound to that server by: "
                    + pins.sorted().map(\.rawValue).joined(separator: ", ") + "."
            } else {
                "Statements were under way that had changed nothing."
            }
        return .serverLost(detail)
    }

    /// The units under way are nobody's any more.
    mutating func forgetUnits() {
        units.removeAll()
        isUnitOpen = false
        injection.removeAll(keepingCapacity: true)
        pooled?.awaited = nil
        pooled?.unansweredCommit = nil
        defaultsAsked = nil
    }
}

extension Unit {
    /// Whether its answer would have told the outcome of a transaction.
    fileprivate func mayCommit(in status: TransactionStatus) -> Bool {
        if isHidden || effects.isReadOnly { return false }
        // In a transaction a text may hold a COMMIT, a COMMIT AND CHAIN or a PREPARE TRANSACTION anywhere.
        return status == .idle ? !effects.isControlOnly : effects.controlsTransaction && !isRollback
    }
}
