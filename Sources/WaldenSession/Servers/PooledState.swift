import WaldenCore
import WaldenWire

/// What a session keeps that changes its servers.
final class PooledState {
    /// Why nothing may be sent until something of Walden's own is answered.
    enum Awaited: Hashable {
        case replay
        case census
        case cleaning
        /// The description of a statement that was parsed again.
        case description
    }

    let pooling: Pooling
    var server: ServerSession?
    /// What the client was last told of reported settings.
    var told = ReportedParameters.none
    /// What the session has assigned, as far as it was committed and has been seen at rest.
    var assigned: AssignedSettings
    /// `application_name` of the startup packet: pooled servers are not told of it there.
    let applicationName: [UInt8]?
    /// What binds the session to `server`.
    var pins: Set<Pin> = []
    /// Statements have run of which only the server can tell what they left; how much it is to be asked.
    var suspicion: Census.Scope?
    /// Settings assigned since the session was last seen at rest; their names.
    var touched: Set<String> = []
    /// Named statements are known to the server by the client's names, and it decides which there are.
    var usesOwnNames = false
    var awaited: Awaited?
    var census = CensusReading()
    /// The failed census is repeated once with its statement prepared anew.
    var censusFailures = 0
    var reads = ReadTracker()
    /// The unit that is run again must go to the primary.
    var needsPrimary = false
    /// Why a question of Walden's made the transaction fail: it is what the client's next statement would have met.
    var failure: ErrorResponse?
    /// The client has had the server's FATAL error.
    var hasRelayedFatal = false

    var isSuspect: Bool { suspicion != nil }

    /// The next server must be the primary, whatever is asked of it.
    var staysOnPrimary: Bool { !pooling.isReadOnly && (needsPrimary || pooling.mode == .session) }

    /// Nothing that has run binds the session to its server, or may.
    var leavesNothing: Bool {
        pins.isEmpty && !isSuspect && touched.isEmpty && awaited == nil && !usesOwnNames
            && server?.ownStatements.isEmpty ?? true
    }

    func suspect(_ scope: Census.Scope) {
        suspicion = max(suspicion ?? scope, scope)
    }

    init(pooling: Pooling, applicationName: [UInt8]?) {
        self.pooling = pooling
        self.applicationName = applicationName
        assigned = applicationName.map { AssignedSettings(["application_name": $0]) } ?? .none
    }
}

/// Where the session read last.
struct ReadTracker {
    /// When the primary or the cache last answered.
    var answeredAt = Instant.distantPast
    private(set) var replica: NodeID?
    /// When `replica` last answered.
    private(set) var replicaAt = Instant.distantPast

    mutating func read(on node: NodeID, _ now: Instant) {
        replica = node
        replicaAt = now
    }
}
