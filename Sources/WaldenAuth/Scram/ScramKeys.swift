/// The two keys that both sides of SCRAM-SHA-256 rest on (RFC 5802, section 3; RFC 7677).
///
/// They are made from the password by `KeyDerivation`. Who knows `client` can log in as its user wherever the same
/// verifier is kept, as with the password.
public struct ScramKeys: Hashable, Sendable {
    /// HMAC(SaltedPassword, "Client Key").
    public let client: Secret
    /// HMAC(SaltedPassword, "Server Key").
    public let server: Secret

    init(client: Secret, server: Secret) {
        self.client = client
        self.server = server
    }

    init(saltedPassword: [UInt8]) throws(Crypto.Failure) {
        client = Secret(try Crypto.hmacSHA256(key: saltedPassword, Array("Client Key".utf8)))
        server = Secret(try Crypto.hmacSHA256(key: saltedPassword, Array("Server Key".utf8)))
    }

    /// StoredKey: what a server keeps to know the client's key by.
    func storedKey() throws(Crypto.Failure) -> Secret {
        Secret(try Crypto.sha256(client.bytes))
    }
}

/// The slow part of SCRAM: a password to its keys. To be run on a thread that may block; some milliseconds with
/// PostgreSQL's 4,096 iterations.
public struct KeyDerivation: Hashable, Sendable {
    /// The most iterations that a peer or a verifier can make Walden compute: about half a second. PostgreSQL's default
    /// is 4,096 (`scram_iterations`).
    public static let iterationLimit = 1_000_000
    /// The longest salt, in bytes. PostgreSQL's has 16.
    static let saltByteLimit = 1_024

    let password: Secret
    let salt: [UInt8]
    let iterations: Int

    /// Prepares the password. Nil when the iterations or the salt are beyond the limits.
    init?(password: Secret, salt: [UInt8], iterations: Int) {
        guard (1...Self.iterationLimit).contains(iterations), (1...Self.saltByteLimit).contains(salt.count) else {
            return nil
        }
        self.password = Secret(SASLPrep.prepared(password.bytes))
        self.salt = salt
        self.iterations = iterations
    }

    /// Nil when libcrypto refuses.
    public func keys() -> ScramKeys? {
        try? derive()
    }

    private func derive() throws(Crypto.Failure) -> ScramKeys {
        let salted = try Crypto.pbkdf2(password: password.bytes, salt: salt, iterations: iterations)
        return try ScramKeys(saltedPassword: salted)
    }
}
