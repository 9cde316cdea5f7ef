/// What Walden can log in on a server with, as one user.
///
/// A clear-text password answers whatever a server asks. A digest and keys answer their own method only, and keys only
/// where the server keeps the very verifier that they belong to, salt and iterations among it. Descriptions hide all
/// but the user and the kind.
public struct ServerCredentials: Hashable, Sendable {
    public enum Proof: Hashable, Sendable {
        /// Nothing: for servers that trust Walden by its address or certificate.
        case none
        /// A password in clear, in the bytes that its user typed.
        case password(Secret)
        /// The digest that `md5` keeps.
        case md5(MD5Password)
        /// The client's keys, as a SCRAM exchange with the client showed them, and the verifier they were checked by.
        case scram(ScramKeys, ScramVerifier)
    }

    public var user: String
    public var proof: Proof

    public init(user: String, proof: Proof = .none) {
        self.user = user
        self.proof = proof
    }

    public init(user: String, password: String) {
        self.init(user: user, proof: .password(Secret(password)))
    }
}

extension ServerCredentials: CustomStringConvertible, CustomReflectable {
    public var description: String { "\(user) (\(proof.kind))" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension ServerCredentials.Proof: CustomStringConvertible, CustomReflectable {
    public var description: String { kind }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// In words for people.
    var kind: String {
        switch self {
        case .none: "no password"
        case .password: "a password"
        case .md5: "an MD5 digest"
        case .scram: "SCRAM keys"
        }
    }
}
