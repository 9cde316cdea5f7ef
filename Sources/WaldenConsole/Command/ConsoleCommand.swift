public import WaldenWire

/// What changes something; only admins may.
public enum ConsoleCommand: Hashable, Sendable {
    /// Nil: every database; so in those that follow.
    case pause(database: String?)
    case resume(database: String?)
    case reconnect(database: String?)
    case kill(database: String?)
    case killClient(UInt64)
    case reload
    /// Nil: the whole cache.
    case flush(RelationName?)

    /// The tag of CommandComplete, which is the command's first word.
    var tag: String {
        switch self {
        case .pause: "PAUSE"
        case .resume: "RESUME"
        case .reconnect: "RECONNECT"
        case .kill: "KILL"
        case .killClient: "KILL_CLIENT"
        case .reload: "RELOAD"
        case .flush: "FLUSH"
        }
    }
}

/// A relation as SQL names it.
public struct RelationName: Hashable, Sendable {
    /// Nil: of that name in whatever schema.
    public var schema: String?
    public var name: String

    public init(schema: String? = nil, name: String) {
        self.schema = schema
        self.name = name
    }

    public var text: String { (schema.map { $0 + "." } ?? "") + name }
}

/// What the console asks of the process.
public enum ConsoleRequest: Hashable, Sendable {
    case show(ConsoleView)
    case command(ConsoleCommand)
}

/// What has become of it.
public enum ConsoleOutcome: Hashable, Sendable {
    case table(ConsoleTable)
    /// Done; what else is to be said of it, each as a notice.
    case done(remarks: [String])
    case refused(ConsoleRefusal)
}

/// Why a statement is not executed, or did not succeed. The session goes on.
public struct ConsoleRefusal: Error, Hashable, Sendable {
    public var sqlState: SQLState
    public var message: String
    public var detail: String?
    public var hint: String?

    public init(_ sqlState: SQLState, _ message: String, detail: String? = nil, hint: String? = nil) {
        self.sqlState = sqlState
        self.message = message
        self.detail = detail
        self.hint = hint
    }

    var response: ErrorResponse {
        ErrorResponse(sqlState: sqlState, message: message, detail: detail, hint: hint)
    }

    /// Told to a client that is not let in.
    public var fatal: ErrorResponse {
        ErrorResponse(severity: .fatal, sqlState: sqlState, message: message, detail: detail, hint: hint)
    }
}

/// One statement of the console's language.
enum ConsoleStatement: Hashable {
    case empty
    case show(ConsoleView)
    /// `SHOW` of a setting that sessions have, and `SELECT 1`: a table of one constant.
    case constant(ConsoleColumn, ConsoleValue, tag: String)
    case begin
    case commit
    case rollback
    /// Of no effect here, but drivers send it and wait for this tag.
    case ignored(tag: String)
    case command(ConsoleCommand)

    /// The columns of its answer; nil when it has no rows.
    var columns: [ConsoleColumn]? {
        switch self {
        case .show(let view): view.columns
        case .constant(let column, _, _): [column]
        default: nil
        }
    }

    /// Whether it may be executed in a transaction that has failed.
    var endsTransaction: Bool { self == .commit || self == .rollback }
}
