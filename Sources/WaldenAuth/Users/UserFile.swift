/// Users and their secrets as a file lists them, in the format of PgBouncer's userlist.txt: lines of two texts in double
/// quotes, user and secret, in which a double quote is written twice. A secret is a password in clear, an MD5 digest or a
/// SCRAM verifier; an empty one is none. Lines that begin with `;` or `#` are comments.
public struct UserFile: Hashable, Sendable {
    /// By the bytes of the names: to Swift two texts are equal when they look alike, to PostgreSQL they are not.
    private let secrets: [[UInt8]: StoredSecret?]

    /// Users in one file.
    static let userLimit = 1_000_000

    public init() {
        secrets = [:]
    }

    /// - Throws: the first line that is wrong, without its content. A user listed twice is wrong, too.
    public init(content: String, file: String) throws(FileProblem) {
        var secrets: [[UInt8]: StoredSecret?] = [:]
        for (index, line) in content.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let text = line.drop { $0 == " " || $0 == "\t" }
            if text.isEmpty || text.hasPrefix(";") || text.hasPrefix("#") { continue }
            guard let fields = Self.fields(text), fields.count == 2, !fields[0].isEmpty else {
                throw FileProblem(
                    file: file, line: index + 1, reason: "must be a user and a secret, both in double quotes")
            }
            let user = Array(fields[0].utf8)
            guard secrets[user] == nil else {
                throw FileProblem(file: file, line: index + 1, reason: "lists a user for the second time")
            }
            secrets[user] = .some(StoredSecret(fields[1].utf8))
            guard secrets.count <= Self.userLimit else {
                throw FileProblem(file: file, line: index + 1, reason: "is the \(Self.userLimit + 1)st user: too many")
            }
        }
        self.secrets = secrets
    }

    /// Whether the file lists the user, if only without a secret.
    public func lists(_ user: String) -> Bool { secrets[Array(user.utf8)] != nil }

    public func secret(of user: String) -> StoredSecret? { secrets[Array(user.utf8)] ?? nil }

    public var count: Int { secrets.count }

    /// The texts in double quotes of a line that holds nothing else but blanks; nil for any other.
    private static func fields(_ line: Substring) -> [String]? {
        var fields: [String] = []
        var rest = line
        while let first = rest.first {
            if first == " " || first == "\t" {
                rest = rest.dropFirst()
                continue
            }
            guard first == "\"" else { return nil }
            var text = ""
            rest = rest.dropFirst()
            while true {
                guard let quote = rest.firstIndex(of: "\"") else { return nil }
                text += rest[..<quote]
                rest = rest[rest.index(after: quote)...]
                guard rest.first == "\"" else { break }
                text.append("\"")
                rest = rest.dropFirst()
            }
            fields.append(text)
        }
        return fields
    }
}

extension UserFile: CustomStringConvertible, CustomReflectable {
    public var description: String { "\(count) users" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
