/// A conversation of one or more clients with a server, to be held with PostgreSQL and through Walden alike. Read from
/// a file of `Tests/Conformance/scripts` (docs/internals/conformance.md describes the language).
struct Script: Sendable {
    var name: String
    /// Where it begins, as `file:line`.
    var place: String
    /// The numbers of the cases for which it is evidence.
    var cases: [Int] = []
    /// Run on the primary before each play.
    var setup: [String] = []
    /// Startup parameters of clients that do not send a startup packet of their own.
    var parameters: [(String, String)] = Script.defaultParameters
    var masks: Set<Mask> = []
    /// How many clients hold a server session at the same time: in a transaction, or bound to it.
    var servers = 1
    /// Whether a play has to be answered from memory in part, where there is a cache.
    var isWarmed = false
    /// Why it is held with Walden only, and its own expectations are the reference.
    var alone: String?
    /// Why it is held only where each client has its own server session.
    var dedicated: String?
    var steps: [Step] = []

    static let defaultParameters = [("user", "postgres"), ("database", "postgres")]
}

struct Step: Sendable {
    var line: Int
    var action: Action
}

enum Action: Sendable {
    /// The client sends all in one write, or each byte in a write of its own, then reads until it has met each of the
    /// expectations in their order.
    case converse(client: String, sends: [Outgoing], isBytewise: Bool, expectations: [Expectation])
    /// The client closes its half of the connection.
    case finishSending(client: String)
    /// The client goes without a word; the rest of what is on its way to it is not read.
    case leave(client: String, byReset: Bool)
    /// Repeats a query on the primary until it says true.
    case observe(sql: String)
    /// Runs a statement on the primary.
    case administer(sql: String)
}

enum Outgoing: Sendable {
    /// - Parameter opens: it stands where a startup packet does, so that none is sent ahead.
    case bytes([UInt8], opens: Bool)
    /// A cancel request with the key that this client was given, or another one.
    case cancel(of: String, isForged: Bool)

    var opens: Bool {
        switch self {
        case .bytes(_, let opens): opens
        case .cancel: true
        }
    }
}

/// What a client reads up to. It has to come before the next ReadyForQuery, and has to hold when the script is played
/// with PostgreSQL; with Walden the trace is compared instead.
enum Expectation: Sendable {
    /// A message whose transcript (`BackendMessage.description`) contains the text.
    case message(Unicode.Scalar, containing: String?)
    /// One byte that is no message: the answer to a request for encryption.
    case byte(Unicode.Scalar)
    /// The peer closes the connection.
    case end
}

/// What two servers cannot agree on, and a script declares.
enum Mask: String, Sendable, CaseIterable {
    /// Process numbers and object identifiers in the text of errors and notices.
    case numbers
    /// File, line and routine of PostgreSQL's source in errors that Walden gives in a server's stead, in its words: lines
    /// differ from one release to the next.
    case places
    /// The table's object identifier in RowDescription, for tables that the script itself makes.
    case tables
    /// Of notices, all but SQLSTATE and message: Walden is at no line of PostgreSQL's source.
    case notices
    /// What breaks the protocol: Walden may say why, in PostgreSQL's words, where PostgreSQL closes without a word, and
    /// may close behind the error where PostgreSQL goes on.
    case refusal
    /// The order of ParameterStatus messages that follow each other: pools know values, not when each was reported.
    case statusOrder
}
