/// How a client proves who it is (PostgreSQL documentation, Client Authentication).
public enum AuthMethod: String, Hashable, Sendable, CaseIterable {
    /// Not at all.
    case trust
    /// By a password in clear.
    case password
    /// By a salted digest; by SCRAM where a verifier for that is kept, as in PostgreSQL.
    case md5
    case scram = "scram-sha-256"
    /// By the TLS certificate, whose common name is the user's or is mapped to it.
    case cert
    /// Whatever it proves, it is refused.
    case reject

    /// Whether a secret is compared.
    var asksPassword: Bool {
        switch self {
        case .password, .md5, .scram: true
        case .trust, .cert, .reject: false
        }
    }
}
