public import WaldenCore
import WaldenWire

/// In which ways encryption is tried on the way to a server, and what comes after each failure: libpq's rules
/// (documentation, "SSL Support", and `select_next_encryption_method` in `fe-connect.c`).
///
/// | mode | first | then |
/// |---|---|---|
/// | disable | clear | |
/// | allow | clear | TLS, if the server refuses the session before it is established |
/// | prefer | TLS | clear: here if the server has no TLS, anew if the handshake or the session is refused |
/// | require and stricter | TLS | |
///
/// A Unix-domain socket is never encrypted, whatever the mode.
public struct EncryptionPlan: Hashable, Sendable {
    /// How one attempt begins.
    public enum Attempt: Hashable, Sendable {
        case clear
        /// SSLRequest, and its answer, before the handshake.
        case requested
        /// The handshake at once (PostgreSQL 17).
        case direct
    }

    public enum Failure: Hashable, Sendable {
        /// SSLRequest was answered `N`.
        case unavailable
        /// The handshake failed, or the certificate is not the one expected.
        case handshake
        /// The server answered the startup message, or the authentication after it, with an ErrorResponse.
        case startup
    }

    public enum Next: Hashable, Sendable {
        /// Go on with the same connection, in the clear.
        case goOn
        /// Close it and begin anew.
        case reconnect(Attempt)
        case giveUp
    }

    private let mode: SSLMode
    private let encrypted: Attempt

    /// - Parameters:
    ///   - isLocal: Whether the server is reached by a Unix-domain socket.
    ///   - isDirect: Whether the handshake begins without a request, which needs a mode that knows no way without TLS.
    public init(mode: SSLMode, isLocal: Bool, isDirect: Bool = false) {
        self.mode = isLocal ? .disable : mode
        encrypted = isDirect && mode.isMandatory ? .direct : .requested
    }

    public var first: Attempt {
        switch mode {
        case .disable, .allow: .clear
        case .prefer, .require, .verifyCA, .verifyFull: encrypted
        }
    }

    /// What follows the failure of an attempt. Each way is tried once.
    public func next(after failure: Failure, of attempt: Attempt) -> Next {
        switch (mode, failure) {
        case (.prefer, .unavailable) where attempt != .clear: .goOn
        case (.prefer, .handshake) where attempt != .clear, (.prefer, .startup) where attempt != .clear:
            .reconnect(.clear)
        case (.allow, .startup) where attempt == .clear: .reconnect(encrypted)
        default: .giveUp
        }
    }
}

/// A server's answer to SSLRequest (protocol chapter, SSL Session Encryption).
public enum EncryptionAnswer: Hashable, Sendable {
    case accepted
    case unavailable
    /// An ErrorResponse, of a server that has no room or is older than the request. What it says must not be believed:
    /// nobody has vouched for the server yet (CVE-2024-10977).
    case error
    /// None of these, or more than the one byte: what follows it in the clear could be taken for the server's
    /// (CVE-2021-23222).
    case malformed

    /// Nil while nothing has arrived.
    public init?(_ bytes: borrowing RawSpan) {
        guard bytes.byteCount > 0 else { return nil }
        switch (bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self), bytes.byteCount) {
        case (UInt8(ascii: "S"), 1): self = .accepted
        case (UInt8(ascii: "N"), 1): self = .unavailable
        case (UInt8(ascii: "E"), _): self = .error
        default: self = .malformed
        }
    }
}

extension EncryptionPlan {
    /// Whether a server's first message after the startup message refuses the session; nil while it has sent nothing.
    public static func isRefusal(_ bytes: borrowing RawSpan) -> Bool? {
        guard bytes.byteCount > 0 else { return nil }
        return bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self) == BackendTag.errorResponse.rawValue
    }
}
