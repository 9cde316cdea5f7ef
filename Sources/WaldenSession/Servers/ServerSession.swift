public import WaldenCore
public import WaldenWire

/// What one server connection knows and holds beyond its socket: the settings it reported, those that clients' sessions
/// have assigned on it, the statements prepared on it.
///
/// Belongs to the connection and outlives the sessions that it serves one after another; each session machine it is
/// attached to reads and writes it. Used on one event loop only.
public final class ServerSession {
    public let node: NodeID
    /// Whether writes are accepted there. Where not, only what demands a read may be sent.
    public let isPrimary: Bool
    /// As whose it was opened; nil where the node was no primary then.
    public let reign: Reign?
    /// When its connection had been opened.
    public let bornAt: Instant
    /// As the server last reported.
    var reported: ReportedParameters
    /// What differs from a fresh session of the same startup packet.
    var assigned = AssignedSettings.none
    var statements: ServerStatements
    /// Statements that it knows by the client's names; to be closed before another session comes.
    var ownStatements: Set<[UInt8]> = []
    var unnamed = UnnamedStatement.unknown
    /// What it said a session has where it assigned nothing, and which settings were assigned when it was asked.
    var defaults: ServerDefaults?
    var sequences = SequenceState.unused
    /// The census's statements that are prepared there.
    var censuses: Set<Census.Scope> = []
    /// Its state is not known any more: it is to be closed.
    var isSpoiled = false

    /// - Parameters:
    ///   - parameters: What the server reported at the end of its startup.
    ///   - statementLimit: Statements that stay prepared there (`pool.server_statements`).
    public init(
        node: NodeID, isPrimary: Bool, reign: Reign? = nil, bornAt: Instant = .distantPast,
        parameters: [ParameterStatus], statementLimit: Int = 200
    ) {
        self.node = node
        self.isPrimary = isPrimary
        self.reign = reign
        self.bornAt = bornAt
        // To a client, which is served by either, the cluster is one server that takes writes.
        let shown = parameters.map { status in
            isPrimary || status.name != "in_hot_standby" ? status : ParameterStatus(name: status.name, value: "off")
        }
        reported = ReportedParameters(shown)
        statements = ServerStatements(limit: statementLimit)
    }

    /// Whether it has custom settings, of which no command frees it.
    public var hasCustomSettings: Bool { !assigned.customNames.isEmpty }

    /// The server reported a setting while no session was attached, e.g. after a change of the configuration file.
    public func parameterReported(_ status: ParameterStatus) {
        reported = reported.reporting(status.name, status.value)
    }
}

/// What a server's unnamed statement is, once all that has been sent is done.
enum UnnamedStatement {
    case none
    case statement(PreparedStatement)
    case unknown

    func isKnown(as statement: PreparedStatement) -> Bool {
        if case .statement(let known) = self { known === statement } else { false }
    }
}

/// A server's answer to the question for a session's defaults.
struct ServerDefaults {
    let answer: SessionDefaults
    /// Names that the session which asked had assigned, so that the answer does not tell their defaults.
    let hidden: Set<String>
}
