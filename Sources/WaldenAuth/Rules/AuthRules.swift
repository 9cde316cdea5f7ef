public import WaldenWire

/// Which clients are authenticated how: the records of a file in the manner of pg_hba.conf, the first that matches holds
/// (PostgreSQL documentation, The pg_hba.conf File). A client that none matches is refused.
public struct AuthRules: Hashable, Sendable {
    let rules: [AuthRule]

    init(rules: [AuthRule]) {
        self.rules = rules
    }

    /// One method for all.
    public init(method: AuthMethod) {
        rules = [AuthRule(method: method)]
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

    /// A client's connection as the records see it.
    public struct Origin: Hashable, Sendable {
        /// Nil for a Unix socket.
        public var address: IPAddress?
        /// The address of Walden's that it connected to.
        public var localAddress: IPAddress?
        public var isEncrypted: Bool
        /// The common name of the TLS certificate that it showed and that was found valid.
        public var certificateName: String?

        public init(
            address: IPAddress?, localAddress: IPAddress? = nil, isEncrypted: Bool = false,
            certificateName: String? = nil
        ) {
            self.address = address
            self.localAddress = localAddress
            self.isEncrypted = isEncrypted
            self.certificateName = certificateName
        }
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
    ///
    /// - Parameter maps: What the certificates' names are mapped by.
    public func decide(_ request: Request, from origin: Origin, maps: UserMaps = UserMaps()) -> Decision {
        guard let rule = rules.first(where: { $0.matches(request, origin) }) else {
            return .refuse(.noRule("no entry in Walden's auth.hba_file for", request, origin))
        }
        if rule.method == .reject {
            return .refuse(.noRule("Walden's auth.hba_file rejects connection for", request, origin))
        }
        guard rule.certificate != .notAsked else { return .ask(rule.method) }
        guard let name = origin.certificateName else {
            return .refuse(
                ErrorResponse(
                    severity: .fatal, sqlState: .invalidAuthorizationSpecification,
                    message: "connection requires a valid client certificate"))
        }
        if rule.certificate == .namesUser, !maps.allow(name, as: request.user, map: rule.map) {
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
        _ beginning: String, _ request: AuthRules.Request, _ origin: AuthRules.Origin
    ) -> ErrorResponse {
        let host = origin.address.map(\.description) ?? "[local]"
        let what = request.isPhysicalReplication ? "replication connection" : "database \"\(request.database)\""
        let encryption = origin.isEncrypted ? "SSL encryption" : "no encryption"
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

    func matches(_ request: AuthRules.Request, _ origin: AuthRules.Origin) -> Bool {
        matches(origin) && databases.contains { matches($0, request) }
            && (users?.contains { $0.utf8.elementsEqual(request.user.utf8) } ?? true)
    }

    private func matches(_ origin: AuthRules.Origin) -> Bool {
        switch transport {
        case .any: return true
        case .local: return origin.address == nil
        case .hostWithTLS where !origin.isEncrypted, .hostWithoutTLS where origin.isEncrypted: return false
        case .host, .hostWithTLS, .hostWithoutTLS: break
        }
        guard let address = origin.address else { return false }
        switch addresses {
        case .all: return true
        case .sameHost: return address.isLoopback || address == origin.localAddress
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

extension IPAddress: CustomStringConvertible {
    /// IPv6 in eight groups, without the abbreviation.
    public var description: String {
        if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2).map {
            String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16)
        }.joined(separator: ":")
    }
}
