/// What is kept of a user's password, in one of PostgreSQL's three forms (`get_password_type`).
public enum StoredSecret: Hashable, Sendable {
    case password(Secret)
    case md5(MD5Password)
    case scram(ScramVerifier)

    /// Reads `pg_authid.rolpassword` or a user file's second column; nil when empty.
    public init?(_ text: some Collection<UInt8>) {
        if text.isEmpty { return nil }
        if let digest = MD5Password(text) {
            self = .md5(digest)
        } else if let verifier = ScramVerifier(text) {
            self = .scram(verifier)
        } else {
            self = .password(Secret(Array(text)))
        }
    }

    /// What Walden can log in on servers with by knowing this alone: a verifier only proves others.
    var proof: ServerCredentials.Proof {
        switch self {
        case .password(let password): .password(password)
        case .md5(let digest): .md5(digest)
        case .scram: .none
        }
    }
}

extension StoredSecret: CustomStringConvertible, CustomReflectable {
    public var description: String {
        switch self {
        case .password: "a password"
        case .md5: "an MD5 digest"
        case .scram: "a SCRAM verifier"
        }
    }

    public var customMirror: Mirror { Mirror(self, children: []) }
}
