import WaldenCore
public import WaldenWire

/// Finds out whether a client is who it says: asks as the method demands, reads the answers, and ends with the credentials
/// that Walden can use on servers for it, or with a refusal in PostgreSQL's words.
///
/// The shell looks the user's secret up, calls `begin`, then `receive` with the client's unread bytes until the end:
///
///     begin ─┬─ trust, cert ─────────────────────────────────────────────────────► admitted │ refused
///            ├─ password ──► awaitingPassword ─► [deriving] ─► [lookUpAgain] ────► admitted │ refused
///            ├─ md5 ───────► awaitingDigest ─► [lookUpAgain] ────────────────────► admitted │ refused
///            └─ scram ─► [deriving] ─► awaitingFirst ─► awaitingFinal ─► [lookUpAgain] ─► …
///
/// A user who does not exist is asked the same and refused in the same words after the same work. Never: computes
/// PBKDF2 (that is `Step.derive`, for another thread), reads a clock, rolls dice.
public struct ClientAuthentication: ~Copyable, Sendable {
    /// Who connects, and what is known of them.
    public struct Claim: Hashable, Sendable {
        /// As in the startup packet.
        public var user: String
        /// What is kept of the user's password; nil for none, and for a user who does not exist.
        public var secret: StoredSecret?
        /// Whether `secret` was remembered rather than just read, so that a failure is worth another look.
        public var mayBeOutdated: Bool
        /// RFC 5929 hash of Walden's certificate on this connection; nil without TLS.
        public var certificateHash: [UInt8]?

        public init(
            user: String, secret: StoredSecret?, mayBeOutdated: Bool = false, certificateHash: [UInt8]? = nil
        ) {
            self.user = user
            self.secret = secret
            self.mayBeOutdated = mayBeOutdated
            self.certificateHash = certificateHash
        }
    }

    /// What to do next.
    public enum Step: Equatable, Sendable {
        /// More bytes from the client are needed.
        case wait
        /// To be sent to the client; then `receive` goes on.
        case send([UInt8])
        /// To be computed on a thread that may block, and handed to `derived`. Until then the client is not read.
        case derive(KeyDerivation)
        /// The user's secret is to be read anew, past what is remembered, and handed to `lookedUp`.
        case lookUpAgain
        /// To be sent to the client, AuthenticationOk among it; Walden may act for it with these credentials.
        case admitted([UInt8], ServerCredentials)
        /// To be sent to the client, and the connection closed.
        case refused(ErrorResponse)
    }

    enum Phase: Sendable {
        case beginning
        case awaitingPassword
        /// A password is being compared with a verifier.
        case derivingPassword(Secret, ScramVerifier, isMock: Bool)
        case awaitingDigest(salt: [UInt8])
        /// A verifier is being made of a password that is kept in clear.
        case derivingVerifier(salt: [UInt8])
        case awaitingFirst(ScramServer, isMock: Bool)
        case awaitingFinal(ScramServer, ScramServer.Pending, isMock: Bool)
        /// The client's proof failed against a secret that may have changed since it was read.
        case lookingUpAgain(Answer)
        case ended
    }

    /// What the client said, for a second comparison.
    enum Answer: Sendable {
        case password(Secret)
        case digest([UInt8], salt: [UInt8])
        /// Bound to the old verifier's salt: it can prove nothing against another.
        case scram
    }

    /// The length field of a password message; PostgreSQL's `PG_MAX_AUTH_TOKEN_LENGTH` counts the body's bytes here.
    static let passwordByteLimit = 65_535 + 4

    let method: AuthMethod
    var claim: Claim
    let mocks: MockSecrets
    let random: [UInt8]
    var phase = Phase.beginning

    /// - Parameters:
    ///   - method: Not `cert` unless the certificate has been checked by `AuthRules`; here it counts as `trust`.
    ///   - random: 18 bytes that nobody can foresee, made for this client.
    public init(method: AuthMethod, claim: Claim, mocks: MockSecrets, random: [UInt8]) {
        self.method = method
        self.claim = claim
        self.mocks = mocks
        self.random = random
    }

    /// The first step, before anything is read from the client.
    public mutating func begin() -> Step {
        guard case .beginning = phase else { return .wait }
        switch (method, claim.secret) {
        case (.trust, _), (.cert, _): return admit(claim.secret?.proof ?? .none)
        case (.reject, _): return refuse()
        case (.password, _):
            phase = .awaitingPassword
            return .send(Authentication.cleartextPassword.encoded())
        case (.md5, .md5?), (.md5, .password?):
            let salt = Array(random.prefix(4))
            phase = .awaitingDigest(salt: salt)
            return .send(Authentication.md5Password(salt: salt).encoded())
        case (.md5, _), (.scram, _): return beginScram()
        }
    }

    /// Takes one message off the front.
    ///
    /// - Returns: how many bytes of `input` were used up, and the step. Nothing is used up while a step is under way
    ///   that has to be answered first.
    public mutating func receive(_ input: borrowing RawSpan) -> (consumed: Int, step: Step) {
        let limit: Int
        switch phase {
        case .awaitingPassword, .awaitingDigest: limit = Self.passwordByteLimit
        case .awaitingFirst, .awaitingFinal: limit = ScramServer.messageByteLimit
        case .beginning, .derivingPassword, .derivingVerifier, .lookingUpAgain, .ended: return (0, .wait)
        }
        do throws(WireError) {
            // Before the length is looked at: a client that goes on as if it were logged in should hear that.
            if input.byteCount > 0 {
                let tag = input.unsafeLoad(fromByteOffset: 0, as: UInt8.self)
                guard tag == FrontendTag.password.rawValue else { return (0, unexpected(tag)) }
            }
            guard let header = try MessageHeader.parse(input, at: 0, limit: limit),
                input.byteCount >= header.byteCount
            else { return (0, .wait) }
            return (header.byteCount, try act(on: header.body(at: 0), in: input))
        } catch {
            return (0, end(ErrorResponse(error)))
        }
    }

    /// Takes the result of `Step.derive`; nil when it could not be computed.
    public mutating func derived(_ keys: ScramKeys?) -> Step {
        guard let keys else { return broken() }
        switch phase {
        case .derivingPassword(let password, let verifier, let isMock):
            guard let isRight = verifier.matches(keys) else { return broken() }
            return isRight && !isMock ? admit(.password(password)) : failed(.password(password))
        case .derivingVerifier(let salt):
            guard let verifier = ScramVerifier(keys: keys, salt: salt) else { return broken() }
            return ask(verifier, isMock: false)
        default: return .wait
        }
    }

    /// Takes the result of `Step.lookUpAgain`: the secret as it is now.
    public mutating func lookedUp(_ secret: StoredSecret?) -> Step {
        guard case .lookingUpAgain(let answer) = phase else { return .wait }
        let isUnchanged = secret == claim.secret
        claim.secret = secret
        claim.mayBeOutdated = false
        if isUnchanged { return refuse() }
        switch answer {
        case .password(let password): return compare(password)
        case .digest(let digest, let salt): return compare(digest, salt: salt)
        case .scram: return refuse()
        }
    }
}
