import DequeModule
import WaldenCore
import WaldenWire

/// Bringing a server to the session's state before the first message that needs it.
extension SessionMachine {
    /// What must happen before a message may go to a server.
    enum Preparation {
        /// Nothing more.
        case done
        /// A server of this kind must be attached.
        case acquire(ServerDemand)
        /// The injection must be answered.
        case ask
        /// What is under way must be answered.
        case drain
        /// The client must be told of settings that the server has other values for.
        case tell([UInt8])
    }

    /// Always `done` for a session with a server of its own.
    mutating func prepareServer(for demand: ServerDemand) -> Preparation {
        guard let pooled else { return .done }
        // A client that only reads has no primary to go to.
        let demand = pooled.pooling.isReadOnly && demand == .primary ? .readTransaction(readNeeds(nil)) : demand
        if pooled.awaited != nil || defaultsAsked != nil { return .drain }
        guard let server = pooled.server else { return .acquire(pooled.staysOnPrimary ? .primary : demand) }
        if server.isSpoiled, isAtRest { return .acquire(pooled.staysOnPrimary ? .primary : demand) }
        if !server.isPrimary, !isUnitOpen, let other = leaveReplica(for: demand) { return other }
        if pooled.mustRename, let question = rename() { return question }
        guard units.isEmpty, !isUnitOpen, status == .idle else { return .done }
        if let replay = replay(on: server) {
            push(.replay, replay)
            return .ask
        }
        guard pooled.told !== server.reported else { return .done }
        let differences = server.reported.differences(from: pooled.told)
        if differences.isEmpty, let shared = server.reported.shared(with: pooled.told) { server.reported = shared }
        self.pooled?.told = server.reported
        guard !differences.isEmpty else { return .done }
        var bytes: [UInt8] = []
        for status in differences {
            status.encode(into: &bytes)
            settings.parameterReported(name: status.name, value: status.value)
        }
        return .tell(bytes)
    }

    /// A replica serves one read, or a transaction from its beginning to its end: what comes next chooses anew. Nil: the
    /// transaction goes on, or the demand is met.
    private mutating func leaveReplica(for demand: ServerDemand) -> Preparation? {
        // Whether a unit under way has ended the transaction, its answer tells.
        if units.contains(where: { status == .idle || !$0.effects.isReadOnly }) { return .drain }
        guard status == .idle, let pooled else { return nil }
        let mayStay = demand.needs != nil && !pooled.staysOnPrimary
        if mayStay, pooled.isConfirmed { return nil }
        switch settle() {
        case .release: return .acquire(mayStay ? demand : .primary)
        case .ask: return .ask
        // What binds the session to the replica stays; what the replica cannot do, it says by itself.
        case .keep: return pooled.isConfirmed ? nil : .acquire(.confirm(demand.needs ?? readNeeds(nil)))
        }
    }

    /// Puts messages of Walden's own before the next ones, in a unit of their own.
    mutating func push(_ purpose: Unit.Purpose, _ messages: [UInt8]) {
        var unit = Unit(isExtended: false, isHidden: true)
        unit.purpose = purpose
        units.append(unit)
        injection += messages
        switch purpose {
        case .replay, .renaming: pooled?.awaited = .replay
        case .census: pooled?.awaited = .census
        case .cleaning, .sequences: pooled?.awaited = .cleaning
        case .verdict: pooled?.awaited = .verdict
        case .preparation, .comparison, .begin, .isolationInquiry, .defaultsInquiry, .naming: break
        }
    }

    /// The Query that gives `server` the session's settings; nil when it has them. One Query is one transaction: all of
    /// it takes effect, or nothing.
    private func replay(on server: ServerSession) -> [UInt8]? {
        guard let pooled, !server.assigned.isEqual(to: pooled.assigned) else { return nil }
        let script = SettingsReplay(from: server.assigned, to: pooled.assigned)
        return script.isEmpty ? nil : script.message
    }

    /// The server has answered the replay. The error that ends the session when it refused.
    mutating func replayEnded(_ unit: Unit) -> ErrorResponse? {
        pooled?.awaited = nil
        guard let pooled, let server = pooled.server else { return nil }
        if !unit.failed {
            server.unnamed = .none
            let old = server.assigned
            server.assigned =
                SettingsReplay.isSplit(from: old, to: pooled.assigned)
                ? old.assigning("client_encoding", pooled.assigned.values["client_encoding"])
                : pooled.assigned.keeping(old.customNames)
            return nil
        }
        server.isSpoiled = true
        let fields = unit.error?.fields
        return ErrorResponse(
            severity: .fatal, sqlState: fields?.sqlState ?? .internalError,
            message: "Walden could not give another server connection the settings of this session",
            detail: fields?.message ?? "The server refused them.",
            hint: "Assign in the startup packet or by ALTER ROLE what the role may not SET, or use pool.mode: session.")
    }
}
