/// Verifiers for users that do not exist, or keep no password that the method can use: the same for one user each time, as
/// a real one would be, so that nobody can tell them apart (PostgreSQL `mock_scram_secret`).
public struct MockSecrets: Hashable, Sendable {
    private let key: Secret

    /// - Parameter key: 32 random bytes, made once per process.
    public init(key: [UInt8]) {
        self.key = Secret(key)
    }

    /// PostgreSQL's default, so that made-up users look like most real ones.
    static let iterations = 4_096

    func verifier(for user: String) throws(Crypto.Failure) -> ScramVerifier {
        ScramVerifier(
            iterations: Self.iterations, salt: try salt(for: user), storedKey: try made("stored", user),
            serverKey: try made("server", user))
    }

    /// Also for users whose password is kept in clear: their verifier is made of it with this.
    func salt(for user: String) throws(Crypto.Failure) -> [UInt8] {
        Array(try made("salt", user).bytes.prefix(16))
    }

    private func made(_ purpose: String, _ user: String) throws(Crypto.Failure) -> Secret {
        Secret(try Crypto.hmacSHA256(key: key.bytes, Array(purpose.utf8) + [0] + user.utf8))
    }
}
