public import WaldenCore
public import WaldenDependency
public import WaldenWire

/// What to do with the front of the client's unread bytes.
public enum ClientStep: Equatable, Sendable {
    /// Nothing until more bytes have come.
    case needMore
    /// Drop the first `replacing` bytes, send the injection (if any) in their place, and then the others of this many
    /// bytes to the server.
    case forward(byteCount: Int, replacing: Int = 0, bypass: Bypass?)
    /// Drop this many bytes and send the client this answer: neither cache nor server is needed.
    case answer(byteCount: Int, [UInt8])
    /// Send the injection, and ask again when the server has answered it: a BEGIN, or a question of Walden's own.
    case openTransaction
    /// Nothing goes on without such a server: `detach()` the one there is, if any, `attach(_:)` it and ask again.
    case acquire(ServerDemand)
    /// Send the client these bytes and ask again.
    case tell([UInt8])
    /// A complete unit whose answer may be in the cache: look `key` up and say `hitAccepted()` or `missed()`.
    case lookup
    /// Nothing until the server has answered what is under way.
    case drain
    /// Drop this many bytes, a COMMIT that was in doubt, and send the client what has become of it; then the session ends
    /// if there is an `end`.
    case resolved(CommitOutcome, byteCount: Int, [UInt8], end: ErrorResponse?)
    /// Terminate: send this many bytes to the server, if the client has one of its own, then close.
    case terminate(byteCount: Int)
    /// The client broke the protocol: report and close this connection.
    case violation(WireError)
}

/// What to do with a unit that was not found in the cache.
public enum MissStep: Sendable {
    /// Cacheable: begin a fill, then say `forwardUnit(fill:)`; or answer with another client's fill and say
    /// `hitAccepted()`.
    ///
    /// `generation` is that of the catalog under which the dependencies were found, or of an older one.
    ///
    /// `policy` says how the cache is to treat it, `level` is the one that the statement itself names.
    case fill(Dependencies, generation: UInt64, policy: StatementPolicy?, level: ConsistencyLevel?)
    /// Not cacheable: say `forwardUnit(fill: nil)`.
    case pass(Bypass)
    /// Send the injection, and ask again, by the same call, when the server has answered it.
    case openTransaction
    /// As `ClientStep.acquire`; ask again by the same call.
    case acquire(ServerDemand)
    /// Send the client these bytes and ask again, by the same call.
    case tell([UInt8])
}

/// What must happen before `forwardUnit`.
public enum ForwardStep: Equatable, Sendable {
    /// Nothing: say `forwardUnit`.
    case forward
    /// Nothing either, but the unit's result is none that may be kept under its key: give the fill up first.
    case forwardWithoutFill
    /// As in `MissStep`.
    case openTransaction
    case acquire(ServerDemand)
    case tell([UInt8])
}

/// Bytes of the client's input that go to the server.
public struct Forwarding: Equatable, Sendable {
    /// How many are used up.
    public let byteCount: Int
    /// How many of these, from the front, the injection stands for.
    public let replacing: Int

    public init(byteCount: Int, replacing: Int = 0) {
        self.byteCount = byteCount
        self.replacing = replacing
    }
}

/// The frame of messages around a cached result.
public struct HitFrame: Equatable, Sendable {
    /// Bytes of the client's input that the hit answers.
    public let byteCount: Int
    public let parseComplete: Bool
    public let bindComplete: Bool
    public let closeComplete: Bool
    /// What ReadyForQuery tells at the end: in a transaction, or idle.
    public let isInTransaction: Bool
}

/// What to do with the front of the server's unread bytes.
public enum ServerStep: Equatable, Sendable {
    /// Nothing until more bytes have come.
    case needMore
    /// Send this many bytes to the client.
    case relay(byteCount: Int)
    /// Send this many bytes to the client and add them to the result being captured for `fill`.
    case capture(byteCount: Int, fill: UInt64)
    /// Drop this many bytes: the answer to something that the client did not send.
    case swallow(byteCount: Int)
    /// Send these bytes to the client in the place of this many of the server's, perhaps of none.
    case replace(byteCount: Int, with: [UInt8])
    /// Drop this many bytes, put these back in front of the client's unread ones, give the server back and go on: the
    /// unit is run again, on another server.
    case rerun(byteCount: Int, [UInt8])
    /// Drop this BackendKeyData message and send one of our own in its place.
    case backendKey(byteCount: Int, BackendKeyData)
    /// The result being captured for `fill` is none that may be kept; no bytes are consumed.
    case fillBroken(UInt64)
    /// Send these bytes (ReadyForQuery) to the client; the unit is over.
    case unitEnded(byteCount: Int, fill: UInt64?)
    /// From here on both directions are copied without a look (replication). No bytes are consumed.
    case becomeTransparent
    /// The session cannot go on: tell the client why and close both connections.
    case giveUp(ErrorResponse)
    /// The server broke the protocol: close both connections.
    case violation(WireError)
}

/// Why a unit went to the server without a fill. The label counts it in the metrics.
public enum Bypass: Hashable, Sendable {
    /// The transaction has written, or may have, or has changed something that only itself can see.
    case transactionWrote
    /// One snapshot serves the whole transaction, or its isolation level is not known.
    case transactionIsolation
    case transactionFailed
    /// `walden.cache` is off in this session.
    case switchedOff
    case pipeline
    case opaqueSession
    case temporaryObjects
    case clientEncoding
    case unknownStatement
    case tooLong
    case tooManySessions
    /// Which defaults the session has is not known.
    case sessionDefaults
    /// The statement's transaction is on a replica.
    case replica
    case refused(Refusal.Rule)

    public var label: String {
        switch self {
        case .transactionWrote: "transaction_wrote"
        case .transactionIsolation: "transaction_isolation"
        case .transactionFailed: "transaction_failed"
        case .switchedOff: "switched_off"
        case .pipeline: "pipeline"
        case .opaqueSession: "opaque_session"
        case .temporaryObjects: "temporary_objects"
        case .clientEncoding: "client_encoding"
        case .unknownStatement: "unknown_statement"
        case .tooLong: "too_long"
        case .tooManySessions: "too_many_sessions"
        case .sessionDefaults: "session_defaults"
        case .replica: "replica"
        case .refused(let rule): rule.rawValue
        }
    }
}

/// What the session machine asks of its surroundings. All answer at once and have no effect on the session.
public protocol SessionEnvironment {
    /// The analysis of a statement text, which is UTF-8.
    func analysis(of text: borrowing RawSpan, context: SessionContext) -> StatementAnalysis
    /// The generation of the catalog that `analysis` uses.
    var catalogGeneration: UInt64 { get }
    /// A number that stands for the fingerprint in cache keys, the same for equal bytes; nil when there are too many.
    func fingerprintID(_ fingerprint: [UInt8]) -> UInt64?
}
