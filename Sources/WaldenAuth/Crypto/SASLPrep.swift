import CIDN

/// What SCRAM does to a password before it hashes it (RFC 4013), with PostgreSQL's deviations (`pg_saslprep`,
/// `scram_build_secret`): both sides must hash the same bytes.
enum SASLPrep {
    /// The prepared password. One in ASCII stays as it is, control characters and all; one that is not UTF-8, or holds
    /// what the profile prohibits, is used raw, since PostgreSQL cannot know the encoding that was meant.
    static func prepared(_ password: [UInt8]) -> [UInt8] {
        guard !password.allSatisfy({ $0 < 0x80 }), String(validating: password, as: UTF8.self) != nil else {
            return password
        }
        // NFKC lengthens a character of UTF-8 to at most eleven times its bytes (UAX 15); the zero ends it.
        var text = password.map { CChar(bitPattern: $0) }
        text.append(contentsOf: repeatElement(0, count: password.count * 11 + 1))
        guard waldenSASLPrep(&text, text.count) == 0 else { return password }
        let prepared = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return prepared.isEmpty ? password : prepared
    }
}
