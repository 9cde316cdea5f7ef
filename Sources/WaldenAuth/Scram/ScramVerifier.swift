/// What a server keeps of a password for SCRAM-SHA-256 (PostgreSQL `parse_scram_secret`):
/// `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, the last three in base64.
public struct ScramVerifier: Hashable, Sendable {
    /// 1 … `KeyDerivation.iterationLimit`.
    public let iterations: Int
    public let salt: [UInt8]
    let storedKey: Secret
    let serverKey: Secret

    init(iterations: Int, salt: [UInt8], storedKey: Secret, serverKey: Secret) {
        self.iterations = iterations
        self.salt = salt
        self.storedKey = storedKey
        self.serverKey = serverKey
    }

    /// Nil when `text` is no verifier, or one beyond the limits of `KeyDerivation`.
    public init?(_ text: some Collection<UInt8>) {
        let parts = text.split(separator: UInt8(ascii: "$"), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].elementsEqual("SCRAM-SHA-256".utf8) else { return nil }
        let head = parts[1].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        let keys = parts[2].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard head.count == 2, keys.count == 2, let iterations = ScramText.iterations(head[0]),
            let salt = Base64.decode(head[1]), (1...KeyDerivation.saltByteLimit).contains(salt.count),
            let stored = Base64.decode(keys[0]), let server = Base64.decode(keys[1]),
            stored.count == Crypto.digestByteCount, server.count == Crypto.digestByteCount
        else { return nil }
        self.init(iterations: iterations, salt: salt, storedKey: Secret(stored), serverKey: Secret(server))
    }

    /// The verifier of the password that these keys were made from; nil when libcrypto refuses.
    init?(keys: ScramKeys, salt: [UInt8], iterations: Int = MockSecrets.iterations) {
        guard let stored = try? keys.storedKey() else { return nil }
        self.init(iterations: iterations, salt: salt, storedKey: stored, serverKey: keys.server)
    }

    /// Whether these are the keys of the password that this was made from; nil when libcrypto refuses.
    func matches(_ keys: ScramKeys) -> Bool? {
        guard let stored = try? keys.storedKey() else { return nil }
        let isStored = stored == storedKey
        let isServer = keys.server == serverKey
        return isStored && isServer
    }
}
