public import WaldenCore
public import WaldenWire

/// How a listener takes clients in.
public struct FrontPolicy: Hashable, Sendable {
    /// Whether a PROXY header stands before everything else.
    public enum ProxyHeaderUse: Hashable, Sendable {
        /// The peer may not send one: a header's bytes are no startup packet and are refused as such.
        case refused
        case accepted
        case required
    }

    public enum Encryption: Hashable, Sendable {
        /// SSLRequest is answered `N`.
        case unavailable
        case offered
        /// A session without it is refused; a cancel request is not, for its key is all it shows.
        case required
    }

    public var proxyHeader: ProxyHeaderUse
    public var encryption: Encryption

    public init(proxyHeader: ProxyHeaderUse = .refused, encryption: Encryption = .unavailable) {
        self.proxyHeader = proxyHeader
        self.encryption = encryption
    }
}

/// Why a client is not let in before it has a session.
public enum FrontFault: Error, Hashable, Sendable {
    case malformed(WireError)
    case malformedProxyHeader(ProxyHeader.Fault)
    case missingProxyHeader
    /// A request for encryption has been answered already.
    case repeatedRequest
    /// Bytes follow a request for TLS that are not encrypted: whoever sent them could have them taken for the client's
    /// (CVE-2021-23222).
    case bytesBeforeHandshake
    /// TLS without a request first, where none is offered.
    case directTLSUnavailable
    /// The same without the protocol name `postgresql` in ALPN, which keeps other protocols' clients out (PostgreSQL
    /// `ProcessSSLStartup`).
    case directTLSWithoutALPN
    case encryptionRequired
}

/// The beginning of a client's connection, up to its startup message: PROXY header, then encryption, then startup
/// (protocol chapter, Start-up, SSL Session Encryption; PostgreSQL `ProcessStartupPacket`, `ProcessSSLStartup`).
///
///     proxyHeader ──header, or none──► opening ──SSLRequest, or 0x16──► handshake ──done──► opening (encrypted)
///                                         └──StartupMessage, CancelRequest──► done
///
/// The shell feeds the front of the unread bytes, does what the step says, and asks again. Each request for encryption is
/// answered once; a client that goes on asking is refused.
public struct ConnectionFront: Hashable, Sendable {
    public enum Step: Hashable, Sendable {
        case needMore
        /// The load balancer has told where the client is; nil: it speaks for itself.
        case proxied(byteCount: Int, source: ClientAddress?)
        /// Encryption of the kind asked for is not to be had.
        case declined(byteCount: Int)
        /// TLS begins; `byteCount` bytes were a request, which is to be answered `S`. Without a request, all unread bytes
        /// are the handshake's.
        case beginTLS(byteCount: Int)
        case cancel(CancelRequest)
        case start(StartupMessage, byteCount: Int)
        case refuse(FrontFault)
    }

    private enum State: Hashable {
        case proxyHeader
        /// Nothing has been answered yet: TLS may begin without a request.
        case first
        case opening
        case handshake(isDirect: Bool)
        case done
    }

    private let policy: FrontPolicy
    private var state: State
    private var hasAnsweredSSLRequest = false
    private var hasAnsweredGSSRequest = false
    public private(set) var isEncrypted = false

    /// The first byte of a TLS record that holds a handshake (RFC 8446, 5.1). As a packet's length it would be beyond what
    /// is accepted.
    private static let handshakeRecord: UInt8 = 0x16
    /// The name that IANA has registered for ALPN.
    public static let applicationProtocol = "postgresql"

    public init(_ policy: FrontPolicy) {
        self.policy = policy
        state = policy.proxyHeader == .refused ? .first : .proxyHeader
    }

    /// What to do with the front of the client's unread bytes.
    public mutating func next(_ bytes: borrowing RawSpan) -> Step {
        switch state {
        case .proxyHeader: return proxyHeaderStep(bytes)
        case .handshake, .done: return .needMore
        case .first, .opening:
            if state == .first, bytes.byteCount > 0,
                bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self) == Self.handshakeRecord
            {
                return beginDirectTLS()
            }
            do throws(WireError) {
                guard let parsed = try StartupPacket.parse(bytes, at: 0) else { return .needMore }
                return step(parsed.packet, parsed.byteCount, isLast: parsed.byteCount == bytes.byteCount)
            } catch {
                return .refuse(.malformed(error))
            }
        }
    }

    private mutating func proxyHeaderStep(_ bytes: borrowing RawSpan) -> Step {
        do throws(ProxyHeader.Fault) {
            switch try ProxyHeader.find(in: bytes) {
            case .incomplete: return .needMore
            case .absent:
                if policy.proxyHeader == .required { return .refuse(.missingProxyHeader) }
                state = .first
                return next(bytes)
            case .header(let header, let byteCount):
                state = .first
                return .proxied(byteCount: byteCount, source: header.source)
            }
        } catch {
            return .refuse(.malformedProxyHeader(error))
        }
    }

    private mutating func beginDirectTLS() -> Step {
        guard policy.encryption != .unavailable else { return .refuse(.directTLSUnavailable) }
        state = .handshake(isDirect: true)
        return .beginTLS(byteCount: 0)
    }

    private mutating func step(_ packet: StartupPacket, _ byteCount: Int, isLast: Bool) -> Step {
        state = .opening
        switch packet {
        case .sslRequest:
            guard !hasAnsweredSSLRequest, !isEncrypted else { return .refuse(.repeatedRequest) }
            hasAnsweredSSLRequest = true
            if policy.encryption == .unavailable { return .declined(byteCount: byteCount) }
            guard isLast else { return .refuse(.bytesBeforeHandshake) }
            state = .handshake(isDirect: false)
            return .beginTLS(byteCount: byteCount)
        case .gssEncRequest:
            guard !hasAnsweredGSSRequest, !isEncrypted else { return .refuse(.repeatedRequest) }
            hasAnsweredGSSRequest = true
            return .declined(byteCount: byteCount)
        case .cancelRequest(let processID, let secret):
            state = .done
            return .cancel(CancelRequest(processID: processID, secret: secret))
        case .startup(let message):
            if policy.encryption == .required, !isEncrypted { return .refuse(.encryptionRequired) }
            state = .done
            return .start(message, byteCount: byteCount)
        }
    }

    /// The handshake is done.
    ///
    /// - Parameter applicationProtocol: What ALPN has agreed on, if anything.
    /// - Returns: why the client is refused after all.
    public mutating func tlsEstablished(applicationProtocol: String?) -> FrontFault? {
        guard case .handshake(let isDirect) = state else { return nil }
        if isDirect, applicationProtocol != Self.applicationProtocol { return .directTLSWithoutALPN }
        isEncrypted = true
        state = .opening
        return nil
    }
}

extension FrontFault {
    /// What the client is told; nil where it could not read it, or is none of ours.
    public var response: ErrorResponse? {
        switch self {
        case .malformed(let error): ErrorResponse(error)
        case .bytesBeforeHandshake:
            ErrorResponse(
                severity: .fatal, sqlState: .protocolViolation,
                message: "received unencrypted data after SSL request",
                detail: "This could be either a client-software bug or evidence of an attempted man-in-the-middle "
                    + "attack.")
        case .encryptionRequired:
            ErrorResponse(
                severity: .fatal, sqlState: .invalidAuthorizationSpecification,
                message: "this connection must be encrypted with TLS",
                detail: "Walden's tls.client.mode admits no session in the clear.",
                hint: "Connect with sslmode=require or a stricter mode.")
        case .malformedProxyHeader, .missingProxyHeader, .repeatedRequest, .directTLSUnavailable,
            .directTLSWithoutALPN:
            nil
        }
    }

    /// The cause that the end of the connection is counted by.
    public var label: String {
        switch self {
        case .malformed, .repeatedRequest: "malformed_startup"
        case .malformedProxyHeader, .missingProxyHeader: "proxy_header"
        case .bytesBeforeHandshake, .directTLSUnavailable, .directTLSWithoutALPN: "tls_refused"
        case .encryptionRequired: "tls_required"
        }
    }
}

extension FrontFault: CustomStringConvertible {
    /// For logs: it holds nothing that the peer sent but lengths and codes.
    public var description: String {
        switch self {
        case .malformed(let error): "\(error)"
        case .malformedProxyHeader(let fault): "malformed PROXY header: \(fault)"
        case .missingProxyHeader: "no PROXY header, which proxy.proxy_protocol requires"
        case .repeatedRequest: "a request for encryption was repeated"
        case .bytesBeforeHandshake: "unencrypted bytes after a request for TLS"
        case .directTLSUnavailable: "TLS began without a request, and tls.client.mode is disable"
        case .directTLSWithoutALPN: "TLS began without a request and without ALPN protocol postgresql"
        case .encryptionRequired: "not encrypted, which tls.client.mode requires"
        }
    }
}
