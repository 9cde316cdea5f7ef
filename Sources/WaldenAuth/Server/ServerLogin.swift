import WaldenCore
public import WaldenWire

/// Logs in on a server: sends the startup packet, answers what the server asks, and ends with its greeting.
///
/// Governs everything from the open (and, if so configured, encrypted) connection to the first ReadyForQuery. The shell
/// calls `begin` once, then `receive` with the unread bytes until `ready` or `failed`:
///
///     starting ─┬─────────────────────────── AuthenticationOk ─────────────────────────────┬─► accepted ──► ended
///               ├─ CleartextPassword, MD5Password ─► answered ────────── AuthenticationOk ─┤
///               └─ SASL ─► awaitingChallenge ─► [deriving] ─► awaitingSignature ─► verified ┘
///
/// A server that skips the end of SCRAM is refused: it has not shown that it knows the verifier. An ErrorResponse ends
/// every state. Never: computes PBKDF2 (that is `Step.derive`, for another thread), reads a clock, rolls dice.
public struct ServerLogin: ~Copyable, Sendable {
    /// Protection against a man in the middle who holds a certificate that the client side accepts.
    public struct ChannelBinding: Hashable, Sendable {
        /// The hash of the server's certificate by RFC 5929, section 4.1; nil without TLS.
        public var certificateHash: [UInt8]?
        /// Whether to refuse servers that do not bind.
        public var isRequired: Bool

        public init(certificateHash: [UInt8]? = nil, isRequired: Bool = false) {
            self.certificateHash = certificateHash
            self.isRequired = isRequired
        }
    }

    /// What to do next.
    public enum Step: Equatable, Sendable {
        /// More bytes from the server are needed.
        case wait
        /// To be sent to the server; then `receive` goes on.
        case send([UInt8])
        /// To be computed on a thread that may block, and handed to `derived`. Until then the server has nothing to say.
        case derive(KeyDerivation)
        /// Logged in. Bytes after those consumed belong to the session.
        case ready(ServerGreeting)
        /// Not logged in; the connection is to be closed.
        case failed(LoginFailure)
    }

    enum Phase: Sendable {
        case starting
        case answered
        case awaitingChallenge(ScramClient)
        case deriving(ScramClient, ScramClient.Challenge)
        case awaitingSignature([UInt8])
        case verified
        case accepted
        case ended
    }

    /// Bytes of one message before ReadyForQuery; libpq's bound for messages during authentication is the same.
    static let messageByteLimit = 30_000
    /// Messages before ReadyForQuery. PostgreSQL 18 sends 19.
    static let messageLimit = 1_000

    private let startup: StartupMessage
    let credentials: ServerCredentials
    let channelBinding: ChannelBinding
    let random: [UInt8]
    var phase = Phase.starting
    private var messages = 0
    private var greeting: ServerGreeting

    /// - Parameters:
    ///   - startup: Sent as it is; its user should be the credentials'.
    ///   - random: 18 bytes that nobody can foresee, made for this login.
    public init(
        startup: StartupMessage, credentials: ServerCredentials, channelBinding: ChannelBinding = ChannelBinding(),
        random: [UInt8]
    ) {
        self.startup = startup
        self.credentials = credentials
        self.channelBinding = channelBinding
        self.random = random
        greeting = ServerGreeting(version: startup.version)
    }

    /// The bytes to be sent first.
    public func begin() -> [UInt8] {
        var bytes: [UInt8] = []
        startup.encode(into: &bytes)
        return bytes
    }

    /// Takes whole messages off the front until there is something to do.
    ///
    /// - Returns: how many bytes of `input` were used up, and the step. Bytes not used up are to be there again next
    ///   time, with more behind them.
    public mutating func receive(_ input: borrowing RawSpan) -> (consumed: Int, step: Step) {
        var position = 0
        while true {
            if case .ended = phase { return (position, .wait) }
            let header: MessageHeader?
            do throws(WireError) {
                header = try MessageHeader.parse(input, at: position, limit: Self.messageByteLimit)
            } catch {
                return (position, fail(.malformed(error)))
            }
            guard let header, input.byteCount - position >= header.byteCount else { return (position, .wait) }
            let body = header.body(at: position)
            position += header.byteCount
            messages += 1
            guard messages <= Self.messageLimit else { return (position, fail(.tooManyMessages)) }
            let step: Step
            do throws(WireError) {
                step = try act(on: BackendTag(rawValue: header.tag), body, in: input)
            } catch {
                step = fail(.malformed(error))
            }
            if step != .wait { return (position, step) }
        }
    }

    /// Takes the result of `Step.derive`; nil when it could not be computed.
    public mutating func derived(_ keys: ScramKeys?) -> Step {
        guard case .deriving(let scram, let challenge) = phase else { return .wait }
        guard let keys else { return fail(.crypto) }
        return prove(scram, challenge, keys)
    }

    private mutating func act(
        on tag: BackendTag, _ body: Range<Int>, in input: borrowing RawSpan
    ) throws(WireError) -> Step {
        switch tag {
        case .errorResponse:
            phase = .ended
            return .failed(LoginFailure(try ErrorResponse(in: input, body: body), origin: .server))
        case .noticeResponse: return .wait
        case .negotiateProtocolVersion:
            guard case .starting = phase else { return fail(.unexpected(tag)) }
            return negotiated(try NegotiateProtocolVersion(in: input, body: body))
        case .authentication: return answer(try Authentication(in: input, body: body))
        case .parameterStatus, .backendKeyData, .readyForQuery:
            guard case .accepted = phase else { return fail(.unexpected(tag)) }
            return try greeted(tag, body, in: input)
        default: return fail(.unexpected(tag))
        }
    }

    private mutating func negotiated(_ answer: NegotiateProtocolVersion) -> Step {
        guard answer.version <= startup.version, answer.version >= .earliest else { return fail(.protocolVersion) }
        greeting.version = answer.version
        return .wait
    }

    private mutating func greeted(
        _ tag: BackendTag, _ body: Range<Int>, in input: borrowing RawSpan
    ) throws(WireError) -> Step {
        switch tag {
        case .parameterStatus: greeting.parameters.append(try ParameterStatus(in: input, body: body))
        case .backendKeyData: greeting.key = try BackendKeyData(in: input, body: body)
        default:
            _ = try ReadyForQuery(in: input, body: body)
            phase = .ended
            return .ready(greeting)
        }
        return .wait
    }

    mutating func fail(_ fault: Fault) -> Step {
        phase = .ended
        return .failed(failure(fault))
    }
}

/// What a server tells of itself and the session before its first ReadyForQuery.
public struct ServerGreeting: Hashable, Sendable {
    /// The version that the session speaks: the one asked for, or what the server made of it.
    public var version: ProtocolVersion
    /// In the order told; of a name told twice the last counts.
    public var parameters: [ParameterStatus] = []
    /// Nil from servers that cannot cancel.
    public var key: BackendKeyData?

    public init(version: ProtocolVersion) {
        self.version = version
    }

    /// The messages that tell the same to a client, ReadyForQuery at the end.
    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        for parameter in parameters { parameter.encode(into: &bytes) }
        key?.encode(into: &bytes)
        ReadyForQuery(.idle).encode(into: &bytes)
        return bytes
    }
}

/// Why a login came to nothing.
public struct LoginFailure: Error, Hashable, Sendable {
    public enum Origin: Hashable, Sendable {
        /// The server refused, in its own words.
        case server
        /// What Walden holds cannot answer what this server asks: another proof is needed, such as a fresh one.
        case credentials
        /// The server broke the protocol, or could not show that it knows the verifier.
        case peer
    }

    public let error: ErrorResponse
    public let origin: Origin

    public init(_ error: ErrorResponse, origin: Origin) {
        self.error = error
        self.origin = origin
    }

    /// Whether the login may succeed with a newer proof of the same user: the password was changed, as it seems.
    public var wantsFreshProof: Bool {
        origin == .credentials || (origin == .server && error.sqlState == .invalidPassword)
    }
}
