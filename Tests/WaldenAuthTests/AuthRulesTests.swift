import Testing
import WaldenCore
import WaldenWire

@testable import WaldenAuth

@Suite("Records in the manner of pg_hba.conf")
struct AuthRulesTests {
    private static let file = """
        # TYPE  DATABASE        USER            ADDRESS                 METHOD
        local   all             all                                     trust
        host    replication     repl            10.0.0.0/8              scram-sha-256
        host    "all"           "all"           10.1.0.0/16             reject   # names, not keywords
        host    app,"other db"  alice, "bob"    10.0.0.0 255.0.0.0      md5
        hostssl sameuser        all             2001:db8::/32           cert map=people
        hostssl app             carol           all                     scram-sha-256 clientcert=verify-ca
        hostnossl app           carol           all                     reject
        host    all             all             samehost                password
        host    all             \\
                dave            192.0.2.7/32    trust
        """

    private func client(_ address: String?, tls: Bool, certificate: String?) -> ClientInfo {
        let name = certificate.map { CertificateName(commonName: $0, distinguishedName: "CN=\($0)") }
        return ClientInfo(
            address: address.flatMap { IPAddress($0) }.map { .ip($0, port: 5000) } ?? .local,
            tls: tls ? TLSSession(version: "TLSv1.3", clientCertificate: name) : nil)
    }

    private func decide(
        _ user: String, _ database: String, _ address: String?, tls: Bool = false, certificate: String? = nil,
        walsender: Bool = false
    ) throws -> String {
        var rules = try AuthRules(content: Self.file, file: "hba")
        rules.maps = try UserMaps(content: "people \"Eve Doe\" eve\npeople root all", file: "ident")
        rules.ownAddresses = Set(["127.0.0.1", "192.0.2.9"].compactMap { IPAddress($0) })
        let request = AuthRules.Request(user: user, database: database, isPhysicalReplication: walsender)
        switch rules.decide(request, from: client(address, tls: tls, certificate: certificate)) {
        case .ask(let method): return method.rawValue
        case .refuse(let error):
            #expect(error.sqlState == .invalidAuthorizationSpecification)
            return error.message
        }
    }

    @Test("one method is for all clients, walsenders among them", arguments: [true, false])
    func oneMethod(isPhysicalReplication: Bool) {
        let request = AuthRules.Request(user: "repl", database: "", isPhysicalReplication: isPhysicalReplication)
        let from = client("10.0.0.1", tls: false, certificate: nil)
        #expect(AuthRules(method: .scram).decide(request, from: from) == .ask(.scram))
    }

    @Test("the first record that matches holds")
    func firstMatch() throws {
        #expect(try decide("anyone", "any", nil) == "trust")
        #expect(try decide("repl", "", "10.1.2.3", walsender: true) == "scram-sha-256")
        #expect(try decide("all", "all", "10.1.2.3").contains("rejects connection"))
        #expect(try decide("alice", "app", "10.9.9.9") == "md5")
        #expect(try decide("bob", "other db", "10.9.9.9") == "md5")
        #expect(try decide("bob", "other db", "::ffff:10.9.9.9") == "md5")
        #expect(try decide("carol", "app", "192.0.2.1").contains("rejects connection"))
        #expect(try decide("dave", "x", "192.0.2.7") == "trust")
        #expect(try decide("dave", "x", "127.0.0.1") == "password")
        #expect(try decide("dave", "x", "192.0.2.9") == "password")
        #expect(
            try decide("dave", "x", "192.0.2.8")
                == "no entry in Walden's auth.hba_file for host \"192.0.2.8\", user \"dave\", database \"x\", no encryption"
        )
        #expect(try decide("dave", "", "192.0.2.7", walsender: true).contains("replication connection"))
    }

    @Test("certificates: the user's name, a mapped one, or any valid one")
    func certificates() throws {
        #expect(try decide("eve", "eve", "2001:db8::1", tls: true, certificate: "Eve Doe") == "cert")
        #expect(try decide("mallory", "mallory", "2001:db8::1", tls: true, certificate: "root") == "cert")
        #expect(
            try decide("eve", "eve", "2001:db8::1", tls: true, certificate: "eve")
                == "certificate authentication failed for user \"eve\"")
        #expect(
            try decide("eve", "eve", "2001:db8::1", tls: true) == "connection requires a valid client certificate")
        #expect(try decide("carol", "app", "192.0.2.1", tls: true, certificate: "whoever") == "scram-sha-256")
        let all = AuthRules(method: .cert)
        let origin = client(nil, tls: true, certificate: "eve")
        #expect(all.decide(AuthRules.Request(user: "eve", database: "x"), from: origin) == .ask(.cert))
        #expect(all.decide(AuthRules.Request(user: "adam", database: "x"), from: origin) != .ask(.cert))
    }

    private static let faulty: [(String, String)] = [
        ("", "hba:1: holds no record"), ("# nothing", "hba:1: holds no record"),
        ("\n\nsocket all all trust", "hba:3: 'socket' is no type"), ("local all", "hba:1: must be"),
        ("local all all", "hba:1: has no method"), ("host all all trust", "'trust' is no IP address"),
        ("host all all 10.0.0.0/8", "has no method"), ("host all all 10.0.0.0/33 trust", "no valid length"),
        ("host all all 10.0.0.0 trust", "or a mask"), ("host all all 10.0.0.0 255.0.255.0 trust", "or a mask"),
        ("host all all db.example.com trust", "is no IP address"), ("host all all samenet trust", "samenet"),
        ("host all +staff all trust", "member of which role"), ("host all /^a all trust", "without expressions"),
        ("host @dbs all all trust", "write the names"), ("host samerole all all trust", "samerole"),
        ("local all all peer", "method 'peer' is not supported"), ("hostgssenc all all all trust", "GSSAPI"),
        ("include other.conf", "include is not supported"), ("host all all all cert", "hostssl records only"),
        ("host all all all trust map=x", "map= needs"),
        ("host all all all trust pamservice=x", "option 'pamservice'"),
        ("hostssl all all all cert clientcert=verify-ca", "always clientcert"),
        ("local \"all all trust", "not closed"),
    ]

    @Test("what cannot be understood, or not be kept to, is refused with its line", arguments: faulty)
    func problems(content: String, reason: String) {
        let problem = #expect(throws: FileProblem.self) { try AuthRules(content: content, file: "hba") }
        #expect(problem?.description.contains(reason) == true, "\(problem?.description ?? "")")
    }

    @Test("random text never traps the readers")
    func random() {
        var random = SplitMix64(seed: 5)
        let words = [
            "host", "local", "all", "\"", "\"\"", ",", " ", "\n", "\\\n", "10.0.0.0/8", "::1/128", "md5", "#", "map=x",
            "é",
        ]
        var read = 0
        for _ in 0..<20_000 {
            let text = (0..<Int(random.next() % 14)).map { _ in words[Int(random.next() % UInt64(words.count))] }
                .joined(separator: random.next() % 2 == 0 ? " " : "")
            if (try? AuthRules(content: text, file: "hba")) != nil { read += 1 }
            _ = try? UserMaps(content: text, file: "ident")
            _ = try? UserFile(content: text, file: "users")
        }
        #expect(read > 0)
    }
}

@Suite("Users and secrets")
struct UserFileTests {
    @Test("userlist.txt as PgBouncer reads it")
    func file() throws {
        let file = try UserFile(
            content: #"""
                ; comment
                "alice" "pencil"

                # comment
                  "say ""hi""" "p""w"
                "bob"	""
                "joe" "md5c59ec932d911ffdf487595b5a2adf973"
                """#, file: "users")
        #expect(file.count == 4)
        #expect(file.secret(of: "alice") == .password(Secret("pencil")))
        #expect(file.secret(of: "say \"hi\"") == .password(Secret("p\"w")))
        #expect(file.lists("bob") && file.secret(of: "bob") == nil)
        #expect(!file.lists("carol"))
        guard case .md5? = file.secret(of: "joe") else {
            Issue.record("no digest")
            return
        }
        #expect("\(file)" == "4 users")
    }

    @Test("names are told apart by their bytes")
    func names() throws {
        let file = try UserFile(content: "\"\u{E9}\" \"composed\"\n\"e\u{301}\" \"decomposed\"", file: "users")
        #expect(file.count == 2)
        #expect(file.secret(of: "\u{E9}") == .password(Secret("composed")))
    }

    @Test(
        "what is wrong is told by its line, without the secret",
        arguments: [
            "\"a\" \"b\"\nbare \"secret\"", "\"a\" \"b\"\n\"a\" \"secret\"", "\"a\" \"b\"\n\"x\" \"secret",
            "\"a\" \"b\"\n\"\" \"secret\"",
            "\"a\" \"b\"\n\"x\" \"secret\" trailing", "\"a\" \"b\"\n\"secret\"",
        ])
    func problems(content: String) {
        let problem = #expect(throws: FileProblem.self) { try UserFile(content: content, file: "users") }
        #expect(problem?.line == 2)
        #expect(problem?.description.contains("\"secret") == false)
    }

    @Test("secrets are remembered for a while, and no longer")
    func cache() {
        var cache = SecretCache(lifetime: .seconds(2), limit: 2)
        let start = Instant(nanoseconds: 1_000_000_000)
        #expect(cache.secret(of: "a", now: start) == .none)
        cache.remember(nil, of: "a", readAt: start)
        #expect(cache.secret(of: "a", now: start + .seconds(1)) == .some(nil))
        #expect(cache.secret(of: "a", now: start + .seconds(2)) == .none)
        cache.remember(.password(Secret("x")), of: "b", readAt: start)
        cache.remember(nil, of: "c", readAt: start)
        #expect(cache.secret(of: "b", now: start) == .none, "bounded: all that was remembered went")
        cache.lifetime = .zero
        #expect(cache.secret(of: "c", now: start) == .none)
    }
}
