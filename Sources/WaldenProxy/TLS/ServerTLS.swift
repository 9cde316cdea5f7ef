import NIOCore
import NIOSSL
import Synchronization
public import WaldenAuth
public import WaldenCore
import WaldenSession

/// How connections to one server are encrypted, in libpq's terms.
public struct ServerTLSSettings: Hashable, Sendable {
    public enum Roots: Hashable, Sendable {
        /// Any certificate is taken, as libpq does where there is no root file; not with `verify-ca` and `verify-full`.
        case none
        /// Once authorities are known, certificates are verified in every mode, as libpq does.
        case file(String)
        /// Those of the operating system (`sslrootcert=system`).
        case system
    }

    /// A certificate to show, and its key.
    public struct Identity: Hashable, Sendable {
        public var certificateFile: String
        public var keyFile: String
        public var passphrase: Secret?

        public init(certificateFile: String, keyFile: String, passphrase: Secret? = nil) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
            self.passphrase = passphrase
        }
    }

    public var mode: SSLMode
    /// Whether the handshake begins without a request (`sslnegotiation=direct`).
    public var isDirect: Bool
    public var roots: Roots
    public var identity: Identity?
    /// The host as configured: the name to send (SNI) and, with `verify-full`, to verify. Nil or an address: none is sent,
    /// and the address connected to is verified.
    public var serverName: String?
    public var minimumVersion: MinimumTLSVersion

    public init(
        mode: SSLMode = .prefer, isDirect: Bool = false, roots: Roots = .none, identity: Identity? = nil,
        serverName: String? = nil, minimumVersion: MinimumTLSVersion = .tls12
    ) {
        self.mode = mode
        self.isDirect = isDirect
        self.roots = roots
        self.identity = identity
        self.serverName = serverName
        self.minimumVersion = minimumVersion
    }
}

/// What new connections to one server use; a reload replaces it and touches no connection.
final class ServerTLS: Sendable {
    private struct State: Sendable {
        let settings: ServerTLSSettings
        /// Nil where the mode is `disable`.
        let context: NIOSSLContext?
        let expiresAt: Int?
    }

    private let state: Mutex<State>

    init(_ settings: ServerTLSSettings) throws(TLSFileProblem) {
        state = Mutex(try Self.load(settings))
    }

    /// What it throws leaves the former in use.
    func replace(by settings: ServerTLSSettings) throws(TLSFileProblem) {
        let new = try Self.load(settings)
        state.withLock { $0 = new }
    }

    /// When the certificate shown to the server expires, in seconds since 1970.
    var expiresAt: Int? { state.withLock { $0.expiresAt } }

    func plan(isLocal: Bool) -> EncryptionPlan {
        let settings = state.withLock { $0.settings }
        return EncryptionPlan(mode: settings.mode, isLocal: isLocal, isDirect: settings.isDirect)
    }

    /// For one connection.
    func handler() throws -> NIOSSLClientHandler {
        let (settings, context) = state.withLock { ($0.settings, $0.context) }
        guard let context else { throw ServerTLSFailure.disabled }
        let name = settings.serverName.flatMap { WaldenCore.IPAddress($0) == nil ? $0 : nil }
        return try NIOSSLClientHandler(context: context, serverHostname: name)
    }

    private static func load(_ settings: ServerTLSSettings) throws(TLSFileProblem) -> State {
        guard settings.mode != .disable else { return State(settings: settings, context: nil, expiresAt: nil) }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = settings.minimumVersion.version
        configuration.applicationProtocols = [ConnectionFront.applicationProtocol]
        let verification: CertificateVerification =
            settings.mode == .verifyFull ? .fullVerification : .noHostnameVerification
        switch settings.roots {
        case .none:
            guard !settings.mode.verifies else {
                throw TLSFileProblem(
                    path: "tls.server.ca_file", reason: "\(settings.mode.rawValue) needs a file of trusted authorities")
            }
            configuration.certificateVerification = .none
        case .file(let path):
            configuration.trustRoots = .certificates(try TLSFiles.certificates(path))
            configuration.certificateVerification = verification
        case .system:
            configuration.trustRoots = .default
            configuration.certificateVerification = verification
        }
        var expiresAt: Int?
        if let identity = settings.identity {
            let chain = try TLSFiles.certificates(identity.certificateFile)
            let key = try TLSFiles.privateKey(identity.keyFile, passphrase: identity.passphrase)
            configuration.certificateChain = chain.map { .certificate($0) }
            configuration.privateKey = .privateKey(key)
            expiresAt = chain.map { Int($0.notValidAfter) }.min()
        }
        do {
            return State(
                settings: settings, context: try NIOSSLContext(configuration: configuration), expiresAt: expiresAt)
        } catch {
            guard let identity = settings.identity else {
                throw TLSFileProblem(path: "tls.server", reason: "TLS cannot be set up: \(error)")
            }
            throw TLSFileProblem(
                path: identity.certificateFile, reason: "does not belong to the private key in \(identity.keyFile)")
        }
    }
}

/// Why no encrypted connection to a server came about.
enum ServerTLSFailure: Error, Hashable, CustomStringConvertible {
    /// The mode has become `disable` meanwhile.
    case disabled
    /// The server has no TLS, and the mode knows no way without.
    case unavailable
    case serverError
    case malformedAnswer
    /// The handshake failed; `reason` is in words.
    case handshake(reason: String)
    case closed

    var description: String {
        switch self {
        case .disabled: "TLS is disabled"
        case .unavailable: "the server does not support TLS, but TLS is required (sslmode)"
        case .serverError: "the server answered the request for TLS with an error"
        case .malformedAnswer: "the server answered the request for TLS with what is no answer to it"
        case .handshake(let reason): reason
        case .closed: "the server closed the connection before TLS was established"
        }
    }

    /// The failure of a handshake, in words for people.
    static func handshake(_ error: any Error) -> ServerTLSFailure {
        if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
            return .handshake(reason: "the server's certificate does not name the host that was connected to")
        }
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return .handshake(reason: "the server's certificate is signed by no trusted authority, or has expired")
        }
        return .handshake(reason: "the TLS handshake failed: \(text)")
    }

    /// Whether another way of encryption may be tried after it: libpq's `prefer`.
    var isHandshake: Bool {
        switch self {
        case .handshake, .closed: true
        case .disabled, .unavailable, .serverError, .malformedAnswer: false
        }
    }
}
