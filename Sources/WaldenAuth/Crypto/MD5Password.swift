/// A password as `md5` keeps it: `md5`, then MD5(password ‖ user) in hexadecimal (PostgreSQL `pg_md5_encrypt`).
public struct MD5Password: Hashable, Sendable {
    /// 32 lower-case hexadecimal digits; who knows them can log in, so they are as secret as the password.
    let digits: Secret

    /// Reads `md5` and 32 hexadecimal digits; nil for anything else.
    public init?(_ text: some Collection<UInt8>) {
        let digits = text.dropFirst(3)
        guard text.prefix(3).elementsEqual("md5".utf8), digits.count == 32, digits.allSatisfy(Self.isDigit) else {
            return nil
        }
        self.digits = Secret(Array(digits))
    }

    /// What would be kept for this password.
    init(password: [UInt8], user: String) throws(Crypto.Failure) {
        digits = Secret(Self.hexadecimal(try Crypto.md5(password + user.utf8)))
    }

    /// What a client sends that was given this salt: `md5` and 32 digits.
    func answer(salt: [UInt8]) throws(Crypto.Failure) -> [UInt8] {
        Array("md5".utf8) + Self.hexadecimal(try Crypto.md5(digits.bytes + salt))
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}
