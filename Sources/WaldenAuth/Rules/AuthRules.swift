public import WaldenCore
public import WaldenWire

/// Which clients are authenticated how: the records of a file in the manner of pg_hba.conf, the first that matches holds
/// (PostgreSQL documentation, The pg_hba.conf File). A client that none matches is refused.
public struct AuthRules: Hashable, Sendable {
    let rules: [AuthRule]
    /// What the names in certificates are mapped by.
    public var maps = UserMaps()
    /// The addresses of this machine, which `samehost` means.
    public var ownAddresses: Set<IPAddress> = []

    /// One method for all clients alike, walsenders among them: whether a role may replicate is the server's to say.
    public init(method: AuthMethod) {
        var rule = AuthRule(method: method)
        rule.databases.append(.replication)
        rules = [rule]
    }

    /// - Parameters:
    ///   - content: The file's text.
    ///   - file: Its name, for messages.
    public init(content: String, file: String) throws(FileProblem) {
        var rules: [AuthRule] = []
        for line in try RuleLine.read(content, file: file) {
            rules.append(try RuleReader(line: line, file: file).rule())
        }
        guard !rules.isEmpty else {
            throw FileProblem(file: file, line: 1, reason: "holds no record, so nobody could connect")
        }
        self.rules = rules
    }

    /// What a client asks for.
    public struct Request: Hashable, Sendable {
        public var user: String
        public var database: String
        /// A physical walsender has no database; `replication=database` names one like any other session.
        public var isPhysicalReplication: Bool

        public init(user: String, database: String, isPhysicalReplication: Bool = false) {
            self.user = user
            self.database = database
            self.isPhysicalReplication = isPhysicalReplication
        }
    }

    public enum Decision: Equatable, Sendable {
        case ask(AuthMethod)
        case refuse(ErrorResponse)
    }

    /// How this client is to be authenticated; the certificate has been judged when the answer is `ask`.
    public func decide(_ request: Request, from client: ClientInfo) -> Decision {
        guard let rule = rules.first(where: { $0.matches(request, client, ownAddresses) }) else {
            return .refuse(.noRule("no entry in Walden's auth.hba_file for", request, client))
        }
        if rule.method == .reject {
            return .refuse(.noRule("Walden's auth.hba_file rejects connection for", request, client))
        }
        guard rule.certificate != .notAsked else { return .ask(rule.method) }
        guard let certificate = client.tls?.clientCertificate else {
            return .refuse(
                ErrorResponse(
                    severity: .fatal, sqlState: .invalidAuthorizationSpecification,
                    message: "connection requires a valid client certificate"))
        }
        // A certificate without a common name is nobody's.
        let isUsers = certificate.commonName.map { maps.allow($0, as: request.user, map: rule.map) } ?? false
        if rule.certificate == .namesUser, !isUsers {
            return .refuse(
                ErrorResponse(
                    severity: .fatal, sqlState: .invalidAuthorizationSpecification,
                    message: "certificate authentication failed for user \"\(request.user)\""))
        }
        return .ask(rule.method)
    }

    /// Whether a record can ask for a certificate, so that TLS has to request one.
    public var wantsCertificates: Bool { rules.contains { $0.certificate != .notAsked } }

    /// Whether a record can compare secrets, so that there must be some to compare with.
    public var asksPasswords: Bool { rules.contains { $0.method.asksPassword } }
}

extension ErrorResponse {
    /// In PostgreSQL's words for the same (`ClientAuthentication`, 28000).
    fileprivate static func noRule(
        _ beginning: String, _ request: AuthRules.Request, _ client: ClientInfo
    ) -> ErrorResponse {
        let host = client.address.ip?.description ?? "[local]"
        let what = request.isPhysicalReplication ? "replication connection" : "database \"\(request.database)\""
        let encryption = client.tls != nil ? "SSL encryption" : "no encryption"
        return ErrorResponse(
            severity: .fatal, sqlState: .invalidAuthorizationSpecification,
            message: "\(beginning) host \"\(host)\", user \"\(request.user)\", \(what), \(encryption)")
    }
}

/// One record.
struct AuthRule: Hashable, Sendable {
    enum Transport: Hashable, Sendable {
        case any, local, host, hostWithTLS, hostWithoutTLS
    }

    enum Databases: Hashable, Sendable {
        case all, sameUser, replication
        case named(String)
    }

    enum Addresses: Hashable, Sendable {
        case all, sameHost
        case range(AddressRange)
    }

    enum Certificate: Hashable, Sendable {
        case notAsked
        /// Any that a certificate authority of `tls.client.ca` has signed.
        case valid
        /// One whose name is the user's, or is mapped to it.
        case namesUser
    }

    var transport = Transport.any
    var databases: [Databases] = [.all]
    /// Nil: all.
    var users: [String]?
    var addresses = Addresses.all
    var method: AuthMethod
    var certificate: Certificate
    var map: String?

    init(method: AuthMethod) {
        self.method = method
        certificate = method == .cert ? .namesUser : .notAsked
    }

    func matches(_ request: AuthRules.Request, _ client: ClientInfo, _ ownAddresses: Set<IPAddress>) -> Bool {
        matches(client, ownAddresses) && databases.contains { matches($0, request) }
            && (users?.contains { $0.utf8.elementsEqual(request.user.utf8) } ?? true)
    }

    private func matches(_ client: ClientInfo, _ ownAddresses: Set<IPAddress>) -> Bool {
        switch transport {
        case .any: return true
        case .local: return client.address == .local
        case .hostWithTLS where client.tls == nil, .hostWithoutTLS where client.tls != nil: return false
        case .host, .hostWithTLS, .hostWithoutTLS: break
        }
        guard let address = client.address.ip else { return false }
        switch addresses {
        case .all: return true
        case .sameHost: return ownAddresses.contains(address)
        case .range(let range): return range.contains(address)
        }
    }

    private func matches(_ databases: Databases, _ request: AuthRules.Request) -> Bool {
        // A physical walsender is matched by the keyword alone, as in PostgreSQL.
        if request.isPhysicalReplication { return databases == .replication }
        switch databases {
        case .all: return true
        case .sameUser: return request.user.utf8.elementsEqual(request.database.utf8)
        case .replication: return false
        case .named(let name): return name.utf8.elementsEqual(request.database.utf8)
        }
    }
}
