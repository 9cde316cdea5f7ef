/// How much encryption a connection is to have (PostgreSQL documentation, libpq, "SSL Support"; the same words mean the
/// like in PgBouncer's `client_tls_sslmode`).
public enum SSLMode: String, CaseIterable, Hashable, Sendable {
    case disable
    /// Without, unless the other side refuses that.
    case allow
    /// With, unless the other side has none.
    case prefer
    case require
    /// And the certificate is signed by a trusted authority.
    case verifyCA = "verify-ca"
    /// And it names the host.
    case verifyFull = "verify-full"

    /// Whether there is no way without.
    public var isMandatory: Bool {
        switch self {
        case .disable, .allow, .prefer: false
        case .require, .verifyCA, .verifyFull: true
        }
    }

    /// Whether a trusted authority must have signed the certificate.
    public var verifies: Bool { self == .verifyCA || self == .verifyFull }
}
