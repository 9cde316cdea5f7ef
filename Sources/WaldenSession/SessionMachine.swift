import DequeModule
public import WaldenCore
import WaldenDependency
public import WaldenWire

/// Bounds on what one session may hold.
public struct SessionLimits: Hashable, Sendable {
    /// Bytes of a message that is held until it is complete, so that it can be inspected. Longer ones are streamed
    /// through and bypass the cache. Range 1 KiB … 1 GiB, default 1 MiB.
    public var heldBytes = 1 << 20
    /// The longest message, as PostgreSQL's own limit (`PQ_LARGE_MESSAGE_LIMIT`): 1 GiB − 1.
    public var messageBytes = (1 << 30) - 1
    /// Prepared statements that are remembered. Default 4,096.
    public var preparedStatements = 4_096
    /// Units under way at the server, after which the client is not read until it has answered. Default 1,024.
    public var unitsUnderWay = 1_024

    public init() {}
}

/// What one session is allowed and promised.
public struct SessionPolicy: Hashable, Sendable {
    /// Whether BEGIN is answered at once and sent with the first statement that needs the server.
    public var defersBegin: Bool
    /// Where the session does not say otherwise.
    public var consistency: ConsistencyLevel
    /// Whether a read that is proven to change nothing is kept until the primary begins to answer, to be run again when
    /// that is lost. Costs a copy of each.
    public var retriesReads: Bool
    /// Whether a commit that standbys have not confirmed is kept from being acknowledged.
    public var guardsCommits: Bool
    /// Whether the outcome of a COMMIT that is lost with the primary is asked for at the one that takes its place. Costs
    /// a question in each transaction that writes.
    public var resolvesCommits: Bool

    public init(
        defersBegin: Bool = true, consistency: ConsistencyLevel = .session, retriesReads: Bool = false,
        guardsCommits: Bool = false, resolvesCommits: Bool = false
    ) {
        self.defersBegin = defersBegin
        self.consistency = consistency
        self.retriesReads = retriesReads
        self.guardsCommits = guardsCommits
        self.resolvesCommits = resolvesCommits
    }
}

/// One client's session: what to do with each message of either side.
///
/// Governs, for one client and the server connection that belongs to it, or those of a pool that serve it one after
/// another (`Pooling`): the phase (authentication, ready,
/// transparent), units under way and their order, the transaction status, prepared statements, the session part of
/// the cache key, and which results are captured. The shell feeds the front of each side's unread bytes and does what
/// the returned step says; it never looks into a message itself.
///
///     starting ──first ReadyForQuery──► ready ──CopyBothResponse──► transparent
///
/// A unit may be answered from the cache only when no transaction is open, or one under READ COMMITTED that has only
/// read; when the session is not opaque, and all units under way only read. A hit waits until those are answered
/// (`drain`), so answers never change places.
///
/// Never: reads a clock, holds a channel or promise, trusts a length, or keeps more than `SessionLimits` says.
public struct SessionMachine: ~Copyable {
    enum Phase: Hashable {
        /// The server authenticates the client and tells its parameters.
        case starting
        case ready
        case transparent
    }

    let limits: SessionLimits
    let policy: SessionPolicy
    let isCaching: Bool
    var phase = Phase.starting
    var settings: SettingsTracker
    var statements: StatementTable
    var units = Deque<Unit>()
    /// The last of `units` has not had its Sync yet.
    var isUnitOpen = false
    /// As the last ReadyForQuery told.
    public internal(set) var status = TransactionStatus.idle
    var transaction = TransactionTracker()
    /// The answer to the last question for the default isolation level, and what the next answer will rest on.
    var knownIsolation: KnownIsolation?
    var inquiryBasis: IsolationBasis?
    /// What the answer that is under way to the question for the session's defaults will rest on.
    var defaultsAsked: SessionDefaults.Basis?
    /// On this basis the server gave no answer.
    var defaultsRefused: SessionDefaults.Basis?
    /// The transaction in progress has written.
    var transactionWrote = false
    /// The order of answers can no longer be told; everything is forwarded from now on.
    var isRelayOnly = false
    /// A statement that changes settings, or may, has been prepared by protocol.
    var hasPreparedSettings = false
    /// Bytes of the current client message that are still to be forwarded without a look.
    var clientSkip = 0
    /// They are dropped instead.
    var clientSkipIsDropped = false
    /// The same for the current server message, and where they go.
    var serverSkip = 0
    var serverSkipGoes = ServerSkip.relayed
    /// Bytes to be sent to the server before the next forwarded ones.
    public internal(set) var injection: [UInt8] = []

    /// The unit offered for lookup, and the statement it uses.
    var candidate: Candidate?
    /// The key of `candidate`: fingerprint, protocol, statement, parameters and result formats.
    public internal(set) var key: [UInt8] = []
    /// Reads the keys of the result that `candidate` will have, when its fill wants them.
    var candidateKeys: ResultKeyReader?
    /// The same of the result that was captured last.
    var capturedKeys: ResultKeyReader?
    /// The generation of the catalog when `key` was begun.
    var keyGeneration: UInt64 = 0
    private var fingerprintID: UInt64?
    private var fingerprintRevision: UInt64?

    /// What the session has written and seen, by the clock.
    var consistency = ConsistencyTracker()
    /// Nil: the session has a server of its own.
    var pooled: PooledState?

    /// - Parameters:
    ///   - startup: The client's startup packet.
    ///   - isCaching: False where the instance never caches: then nothing is parsed or remembered, unless it is pooled.
    ///   - pooling: Given for a client that Walden has authenticated itself: the session begins where the server's
    ///     greeting ends, see `welcome(_:)`, and takes its servers from a pool. Nil: one server, from its startup on.
    public init(
        startup: StartupMessage, isCaching: Bool, limits: SessionLimits = SessionLimits(),
        policy: SessionPolicy = SessionPolicy(), pooling: Pooling? = nil
    ) {
        self.limits = limits
        self.policy = policy
        self.isCaching = isCaching
        if let pooling {
            pooled = PooledState(pooling: pooling, applicationName: startup["application_name"].map { Array($0.utf8) })
            phase = .ready
        }
        settings = SettingsTracker(
            parameters: startup.parameters.map { ($0.name, $0.value) }, isOfFollowedDatabase: isCaching)
        statements = StatementTable(limit: limits.preparedStatements)
    }

    /// Whether nothing is under way, so that the session can be closed without cutting anything off.
    public var isQuiescent: Bool { units.isEmpty && shownStatus == .idle && clientSkip == 0 && !isInDoubt }

    /// Whether the client has asked for an answer that is still to come: by a Query, a FunctionCall or a Sync.
    public var owesAnswers: Bool { units.count > (isUnitOpen ? 1 : 0) }

    /// Whether how many answers are still to come cannot be told, so that only the server's end of the connection tells
    /// that all have come.
    public var answersAreUncertain: Bool { isRelayOnly || units.first?.isCopyingIn ?? false }

    public var isStarting: Bool { phase == .starting }

    /// Bytes to be sent to the server before the forwarded ones; they are handed out once.
    public mutating func takeInjection() -> [UInt8] {
        defer { injectionSent() }
        return injection
    }

    public var hasInjection: Bool { !injection.isEmpty }

    /// What `injection` held has been sent. Its memory is used again.
    public mutating func injectionSent() {
        injection.removeAll(keepingCapacity: true)
    }

    /// Why the next unit may not be answered from the cache, whatever it is; nil when it may.
    func obstacle() -> Bypass? {
        switch transaction.obstacle(status) {
        case .wrote: return .transactionWrote
        case .isolation: return .transactionIsolation
        case .failed: return .transactionFailed
        case nil: break
        }
        if isUnitOpen || isRelayOnly { return .pipeline }
        // A hit may show what the replica does not show yet to the statement after it.
        if let server = pooled?.server, !server.isPrimary, status != .idle { return .replica }
        // Which of the statements are left, the census will tell.
        if let pooled, pooled.usesOwnNames, pooled.isSuspect { return .pipeline }
        for unit in units where !unit.effects.isReadOnly { return .pipeline }
        if settings.own.isSwitchedOff { return .switchedOff }
        switch settings.obstacle {
        case .opaque: return .opaqueSession
        case .temporaryObjects: return .temporaryObjects
        case nil: break
        }
        return settings.isUTF8 ? nil : .clientEncoding
    }

    /// Starts `key` with the session's part; false when too many different sessions are known.
    mutating func beginKey(_ environment: some SessionEnvironment) -> Bool {
        guard let fingerprintID = sessionNumber(environment) else { return false }
        keyGeneration = settings.defaults?.basis.catalog ?? 0
        key.removeAll(keepingCapacity: true)
        withUnsafeBytes(of: fingerprintID) { key.append(contentsOf: $0) }
        return true
    }

    /// What stands for the session in keys; nil when too many different sessions are known.
    mutating func sessionNumber(_ environment: some SessionEnvironment) -> UInt64? {
        if fingerprintRevision != settings.revision {
            fingerprintID = environment.fingerprintID(settings.fingerprint)
            fingerprintRevision = settings.revision
        }
        return fingerprintID
    }

    /// Whether `key` still describes the session.
    var isKeyCurrent: Bool { fingerprintRevision == settings.revision }

    // MARK: Freshness

    /// The session's level of consistency now.
    public var level: ConsistencyLevel { settings.own.level ?? policy.consistency }

    /// What a hit of a request must show that was read at `arrivedAt`.
    @inline(__always)
    public func needs(arrivedAt: Instant) -> FreshnessNeeds {
        FreshnessNeeds(
            level: level, wroteAt: consistency.wroteAt, sawAt: consistency.sawAt, arrivedAt: arrivedAt)
    }

    /// What a replica has shown to the session and the primary may not show yet; nil: nothing, or the level does not mind.
    ///
    /// - Parameter own: The level that the statement itself names.
    public func unsettledRead(_ own: ConsistencyLevel? = nil) -> (replica: NodeID, endedAt: Instant)? {
        guard (own ?? level) != .bounded, let reads = pooled?.reads, !reads.isSettled, let replica = reads.replica
        else {
            return nil
        }
        return (replica, reads.replicaAt)
    }

    /// The unit offered is answered with what another client's statement has just read.
    ///
    /// - Parameter replica: Where; nil: at the primary.
    public mutating func saw(resultOf replica: NodeID?, endedAt end: Instant) {
        consistency.saw(end)
        pooled?.reads.read(on: replica, end)
    }

    /// Whether the unit offered, whose entry is too old for it, should wait for a fresher cache.
    ///
    /// - Parameters:
    ///   - fillTook: How long its query took when the entry was filled.
    ///   - typicalWait: What such waits have been costing lately.
    public mutating func isWorthWaiting(
        level: ConsistencyLevel, fillTook: Duration, typicalWait: Duration
    ) -> Bool {
        consistency.isWorthWaiting(level: level, fillTook: fillTook, typicalWait: typicalWait)
    }

    /// A NoticeResponse to be sent to the client before the next ReadyForQuery; it is handed out once.
    public mutating func takeNotice() -> [UInt8]? {
        guard settings.remark != nil, let remark = settings.takeRemark() else { return nil }
        return NoticeResponse(severity: .notice, sqlState: .invalidParameterValue, message: remark).encoded()
    }

    /// Adds to the last unit what a statement does that is parsed, executed or both within it.
    mutating func note(_ analysis: StatementAnalysis, isPrepared: Bool) {
        units[units.count - 1].effects.add(analysis, mayExecuteSettings: hasPreparedSettings)
        noteBinding(analysis)
        switch analysis.effect {
        case .settings, .opaque: hasPreparedSettings = hasPreparedSettings || isPrepared
        default: break
        }
    }

    func analyse(
        _ text: Range<Int>, in input: borrowing RawSpan, _ environment: some SessionEnvironment
    ) -> StatementAnalysis {
        environment.analysis(of: input.extracting(text), context: settings.context)
    }
}
