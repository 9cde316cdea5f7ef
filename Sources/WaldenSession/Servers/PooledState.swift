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
        /// What has become of a COMMIT.
        case verdict
    }

    let pooling: Pooling
    var server: ServerSession?
    /// What the client was last told of reported settings.
    var told = ReportedParameters.none
    /// What the session has assigned, as far as it was committed and has been seen at rest.
    var assigned: AssignedSettings
    /// `application_name` of the startup packet, as a server shows it from `welcome(_:)` on: pooled servers are not told
    /// of it there.
    var applicationName: [UInt8]?
    /// The transaction in progress has reset `application_name`, and its server went back to a default of its own.
    var mustRename = false
    /// What binds the session to `server`.
    var pins: Set<Pin> = []
    /// Statements have run of which only the server can tell what they left; how much it is to be asked.
    var suspicion: Census.Scope?
    /// Settings assigned since the session was last seen at rest; their names.
    var touched: Set<String> = []
    /// Custom settings that the statement which waits for a server assigns before it reads anything.
    var promised: Set<String> = []
    let sequences = SequenceUser()
    /// Named statements are known to the server by the client's names, and it decides which there are.
    var usesOwnNames = false
    var awaited: Awaited?
    var census = CensusReading()
    /// The failed census is repeated once with its statement prepared anew.
    var censusFailures = 0
    var reads = ReadTracker()
    /// The unit that is run again must go to the primary.
    var needsPrimary = false
    /// The replica that could not serve it.
    private(set) var avoided: NodeID?
    /// How often the unit at the front was put back.
    private(set) var reruns = 0
    /// The server was chosen for the unit at the front, or found to be as fresh as that needs.
    var isConfirmed = false
    /// Why the read sent last runs where it does, though no choice was made for it.
    var unrouted: UnroutedRead?
    /// Why a question of Walden's made the transaction fail: it is what the client's next statement would have met.
    var failure: ErrorResponse?
    /// The transaction in progress, once its server has been asked.
    var named: NamedTransaction?
    /// It has written since, so its server has a name for it.
    var wroteUnnamed: Instant?
    /// Before the question was sent that is under way, or was sent last.
    var namingBegan = Instant.distantPast
    /// The COMMIT that is the one unit under way, until the server begins to answer.
    var unansweredCommit: UnansweredCommit?
    var doubt: CommitInDoubt?
    /// The client has had the server's FATAL error.
    var hasRelayedFatal = false

    var isSuspect: Bool { suspicion != nil }

    /// The next server must be the primary, whatever is asked of it.
    var staysOnPrimary: Bool { !pooling.isReadOnly && (needsPrimary || pooling.mode == .session) }

    /// Nothing that has run binds the session to its server, or may.
    var leavesNothing: Bool { isFree && awaited == nil }

    /// The same but for what Walden itself has asked there.
    var isFree: Bool {
        pins.isEmpty && !isSuspect && touched.isEmpty && !usesOwnNames && server?.ownStatements.isEmpty ?? true
    }

    /// Replicas that fail one after another would keep a read for ever.
    private static let maxReruns = 2

    /// Whether a read may be put back once more, where the primary is not there to answer it in the end.
    var mayRunAgain: Bool { !pooling.isReadOnly || reruns < Self.maxReruns }

    /// The unit at the front is run again, not on `node`: on another replica, or on the primary if that would not serve
    /// it either.
    func runsAgain(notOn node: NodeID?, isForPrimary: Bool = false) {
        reruns += 1
        avoided = node
        needsPrimary = needsPrimary || isForPrimary || reruns >= Self.maxReruns
    }

    /// The unit at the front has been answered.
    func unitAnswered() {
        needsPrimary = false
        avoided = nil
        reruns = 0
        isConfirmed = false
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
    /// When the primary last answered.
    private(set) var answeredAt = Instant.distantPast
    /// The position whose state the last hit showed, or a newer one.
    var shown = LSN.zero
    private(set) var replica: NodeID?
    /// When `replica` last answered.
    private(set) var replicaAt = Instant.distantPast
    /// Nothing has been read on a replica since a read was sent to the primary.
    private(set) var isSettled = true

    /// - Parameter node: The replica that answered; nil: the primary did.
    mutating func read(on node: NodeID?, _ end: Instant) {
        guard let node else {
            answeredAt = max(answeredAt, end)
            return
        }
        replica = node
        replicaAt = end
        isSettled = false
    }

    mutating func settle() {
        isSettled = true
    }
}
