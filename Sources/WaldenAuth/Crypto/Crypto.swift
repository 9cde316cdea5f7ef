import CCrypto

/// What libcrypto computes. It refuses only when memory is exhausted or its providers forbid an algorithm, as MD5 under
/// FIPS 140.
enum Crypto {
    /// libcrypto refused; its own reason is not passed on, since it may tell of inputs.
    struct Failure: Error, Hashable {}

    /// Bytes of a SHA-256 digest.
    static let digestByteCount = 32

    static func sha256(_ data: [UInt8]) throws(Failure) -> [UInt8] {
        try digest(data, EVP_sha256(), byteCount: digestByteCount)
    }

    static func md5(_ data: [UInt8]) throws(Failure) -> [UInt8] {
        try digest(data, EVP_md5(), byteCount: 16)
    }

    private static func digest(
        _ data: [UInt8], _ algorithm: OpaquePointer?, byteCount: Int
    ) throws(Failure) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: byteCount)
        guard EVP_Digest(data, data.count, &result, nil, algorithm, nil) == 1 else { throw Failure() }
        return result
    }

    static func hmacSHA256(key: [UInt8], _ data: [UInt8]) throws(Failure) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: digestByteCount)
        let done = HMAC(EVP_sha256(), key, Int32(clamping: key.count), data, data.count, &result, nil)
        guard done != nil else { throw Failure() }
        return result
    }

    /// `Hi` of RFC 5802, which is PBKDF2 with HMAC-SHA-256: about 0.4 µs an iteration, so never on an event loop.
    static func pbkdf2(password: [UInt8], salt: [UInt8], iterations: Int) throws(Failure) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: digestByteCount)
        let done = password.withUnsafeBytes { password in
            PKCS5_PBKDF2_HMAC(
                password.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(clamping: password.count), salt,
                Int32(clamping: salt.count), Int32(clamping: iterations), EVP_sha256(), Int32(digestByteCount),
                &result)
        }
        guard done == 1 else { throw Failure() }
        return result
    }

    /// Whether both hold the same bytes, in a time that depends on the lengths alone.
    static func equals(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }
}
