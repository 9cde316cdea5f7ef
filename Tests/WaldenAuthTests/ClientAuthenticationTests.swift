import Testing
import WaldenCore
import WaldenWire

@testable import WaldenAuth

private let mocks = MockSecrets(key: Array(0..<32))
private let password = StoredSecret.password(Secret("pencil"))

private func verifier() throws -> StoredSecret { .scram(try RFC7677.verifier()) }

private func digest() throws -> StoredSecret { .md5(try MD5Password(password: ascii("pencil"), user: "user")) }

/// A machine under a script: the client's messages go in, what the machine does comes out as a line of text.
private struct AuthenticationScript: ~Copyable {
    var machine: ClientAuthentication

    init(
        _ method: AuthMethod, _ secret: StoredSecret?, user: String = "user", mayBeOutdated: Bool = false,
        certificateHash: [UInt8]? = nil
    ) {
        machine = ClientAuthentication(
            method: method,
            claim: ClientAuthentication.Claim(
                user: user, secret: secret, mayBeOutdated: mayBeOutdated, certificateHash: certificateHash),
            mocks: mocks, random: Array(1...18))
    }

    mutating func begin() -> String { Self.line(machine.begin()) }

    mutating func client(_ message: some FrontendMessage) -> String { client(message.encoded()) }

    mutating func client(_ bytes: [UInt8]) -> String {
        var step = machine.heard(bytes)
        if case .derive(let work) = step { step = machine.derived(work.keys()) }
        return Self.line(step)
    }

    /// SCRAM as far as the server's challenge, which must have come.
    mutating func clientFirst(_ text: String, mechanism: String = "SCRAM-SHA-256") -> String {
        client(SASLInitialResponse(mechanism: mechanism, data: ascii(text)))
    }

    static func line(_ step: ClientAuthentication.Step) -> String {
        switch step {
        case .wait: "wait"
        case .send(let bytes): "send " + shown(bytes)
        case .derive: "derive"
        case .lookUpAgain: "look up again"
        case .admitted(_, let credentials): "admitted \(credentials)"
        case .refused(let error):
            "refused \(error.sqlState?.code ?? "") \(error.message)" + (error.detail.map { ": \($0)" } ?? "")
        }
    }

    private static func shown(_ bytes: [UInt8]) -> String {
        let body = 5..<bytes.count
        switch try? Authentication(in: bytes.span.bytes, body: body) {
        case .cleartextPassword: return "password?"
        case .md5Password(let salt): return "md5? \(salt)"
        case .sasl(let mechanisms): return "SASL? " + mechanisms.joined(separator: " ")
        case .saslContinue(let data): return text(data)
        default: return "\(bytes)"
        }
    }
}

@Suite("Authenticating clients")
struct ClientAuthenticationTests {
    private static let refusal = "refused 28P01 password authentication failed for user \"user\""

    @Test("trust asks nothing and uses what is known")
    func trust() throws {
        for (secret, kind) in [
            (nil, "no password"), (password, "a password"), (try digest(), "an MD5 digest"),
            (try verifier(), "no password"),
        ] {
            var script = AuthenticationScript(.trust, secret)
            #expect(script.begin() == "admitted user (\(kind))")
        }
        var script = AuthenticationScript(.reject, password)
        #expect(script.begin().hasPrefix("refused 28000 "))
    }

    @Test("a password in clear is compared with each form of secret, and gives full credentials")
    func clearPassword() throws {
        for secret in [password, try digest(), try verifier()] {
            var script = AuthenticationScript(.password, secret)
            #expect(script.begin() == "send password?")
            #expect(script.client(PasswordMessage(ascii("pencil"))) == "admitted user (a password)")
            script = AuthenticationScript(.password, secret)
            _ = script.begin()
            #expect(script.client(PasswordMessage(ascii("pen"))) == Self.refusal)
            script = AuthenticationScript(.password, secret)
            _ = script.begin()
            #expect(script.client(PasswordMessage([])) == "refused 28P01 empty password returned by client")
        }
    }

    @Test("65,535 bytes of a password message are read, more are not asked for")
    func longPassword() {
        let long = [UInt8](repeating: 0x78, count: 65_534)
        var script = AuthenticationScript(.password, .password(Secret(long)))
        _ = script.begin()
        #expect(script.client(PasswordMessage(long)) == "admitted user (a password)")
        script = AuthenticationScript(.password, password)
        _ = script.begin()
        #expect(script.client([0x70, 0, 1, 0, 4]) == "refused 08P01 invalid message length")
    }

    @Test("md5, and SCRAM in its place where a verifier or nothing is kept")
    func md5() throws {
        for secret in [password, try digest()] {
            var script = AuthenticationScript(.md5, secret)
            #expect(script.begin() == "send md5? [1, 2, 3, 4]")
            let answer = try MD5Password(password: ascii("pencil"), user: "user").answer(salt: [1, 2, 3, 4])
            #expect(script.client(PasswordMessage(answer)).hasPrefix("admitted user ("))
            script = AuthenticationScript(.md5, secret)
            _ = script.begin()
            #expect(script.client(PasswordMessage(ascii("md5" + String(repeating: "0", count: 32)))) == Self.refusal)
        }
        for secret in [nil, try verifier()] {
            var script = AuthenticationScript(.md5, secret)
            #expect(script.begin() == "send SASL? SCRAM-SHA-256")
        }
    }

    @Test("a client's SCRAM exchange shows its key, which logs in where the verifier is the same")
    func scramThenLogin() throws {
        var script = AuthenticationScript(.scram, try verifier())
        #expect(script.begin() == "send SASL? SCRAM-SHA-256")
        let client = ScramClient(binding: .unsupported, random: Array(50..<68))
        let challenge = script.clientFirst(text(client.clientFirst))
        #expect(challenge.hasPrefix("send r="))
        let asked = try client.challenge(ascii(String(challenge.dropFirst(5))))
        let final = try client.final(asked, keys: RFC7677.keys())
        let step = script.machine.heard(SASLResponse(data: final.message).encoded())
        guard case .admitted(let bytes, let credentials) = step else {
            Issue.record("\(AuthenticationScript.line(step))")
            return
        }
        let signature = Authentication.saslFinal(data: ascii("v=") + Base64.encode(final.signature))
        #expect(bytes == signature.encoded() + Authentication.ok.encoded())
        #expect(credentials.proof == .scram(try RFC7677.keys(), try RFC7677.verifier()))
    }

    private static let hashes: [([UInt8]?, [UInt8]?)] = [(nil, nil), ([1, 2, 3], [1, 2, 3]), ([1, 2, 3], nil)]

    @Test("both machines against each other, with and without channel binding", arguments: hashes)
    func bothSides(server: [UInt8]?, client: [UInt8]?) throws {
        for secret in [password, try verifier()] {
            #expect(try meet(secret, "pencil", server, client) == "admitted")
            #expect(try meet(secret, "pen", server, client) == "refused 28P01")
        }
        #expect(try meet(nil, "pencil", server, client) == "refused 28P01")
    }

    @Test("another certificate, or a stripped offer, ends the exchange")
    func manInTheMiddle() throws {
        #expect(try meet(verifier(), "pencil", [1, 2, 3], [4, 5, 6]) == "refused 28000")
        var script = AuthenticationScript(.scram, try verifier(), certificateHash: [1])
        #expect(script.begin() == "send SASL? SCRAM-SHA-256-PLUS SCRAM-SHA-256")
        #expect(script.clientFirst("y,,n=,r=abc").hasPrefix("refused 28000 SCRAM channel binding negotiation error"))
    }

    /// A client machine's view of a login, from the first request to the end.
    private func meet(
        _ secret: StoredSecret?, _ password: String, _ serverHash: [UInt8]?, _ clientHash: [UInt8]?
    ) throws -> String {
        var script = AuthenticationScript(.scram, secret, certificateHash: serverHash)
        var login = ServerLogin(
            startup: StartupMessage(user: "user"),
            credentials: ServerCredentials(user: "user", password: password),
            channelBinding: ServerLogin.ChannelBinding(certificateHash: clientHash), random: Array(70..<88))
        var step = script.machine.begin()
        while true {
            let fromServer: [UInt8]
            switch step {
            case .derive(let work):
                step = script.machine.derived(work.keys())
                continue
            case .send(let bytes): fromServer = bytes
            case .admitted(let bytes, _):
                let end = login.heard((bytes + ReadyForQuery(.idle).encoded()))
                guard case .ready = end else { return "the client refused: \(LoginScript.line(end))" }
                return "admitted"
            case .refused(let error): return "refused \(error.sqlState?.code ?? "")"
            case .wait, .lookUpAgain: return "\(step)"
            }
            var answer = login.heard(fromServer)
            if case .derive(let work) = answer { answer = login.derived(work.keys()) }
            guard case .send(let bytes) = answer else { return "the client says \(LoginScript.line(answer))" }
            step = script.machine.heard(bytes)
        }
    }

    @Test("an unknown user sees the same exchange each time, as a known one does")
    func mock() throws {
        var challenges: Set<String> = []
        for user in ["nobody", "nobody", "noone"] {
            var script = AuthenticationScript(.scram, nil, user: user)
            #expect(script.begin() == "send SASL? SCRAM-SHA-256")
            let challenge = script.clientFirst("n,,n=,r=abc")
            #expect(challenge.hasSuffix(",i=4096"))
            challenges.insert(challenge)
            let proof = text(Base64.encode([UInt8](repeating: 7, count: 32)))
            let nonce = challenge.dropFirst(7).prefix { $0 != "," }
            #expect(
                script.client(SASLResponse(data: ascii("c=biws,r=\(nonce),p=\(proof)")))
                    == "refused 28P01 password authentication failed for user \"\(user)\"")
        }
        #expect(challenges.count == 2)
        var script = AuthenticationScript(.password, nil)
        _ = script.begin()
        guard case .derive = script.machine.heard(PasswordMessage(ascii("x")).encoded()) else {
            Issue.record("refused without the work that a known user costs")
            return
        }
    }

    @Test("even who guesses the made-up verifier's password is not admitted")
    func mockIsNoBackDoor() throws {
        let mock = try mocks.verifier(for: "user")
        var script = AuthenticationScript(.password, nil)
        _ = script.begin()
        _ = script.machine.heard(PasswordMessage(ascii("x")).encoded())
        let keys = ScramKeys(client: Secret(""), server: mock.serverKey)
        #expect(AuthenticationScript.line(script.machine.derived(keys)) == Self.refusal)
    }

    private static let malformed: [(String, String)] = [
        ("", "malformed SCRAM message"), ("n", "malformed SCRAM message"), ("n,,", "malformed SCRAM message"),
        ("n,,n=", "malformed SCRAM message"), ("x,,n=,r=a", "malformed SCRAM message"),
        ("n,a=other,n=,r=a", "client uses authorization identity, but it is not supported"),
        ("n,x,n=,r=a", "malformed SCRAM message"), ("n,,m=x,r=a", "client requires an unsupported SCRAM extension"),
        ("n,,n=,r=", "non-printable characters in SCRAM nonce"), ("n,,n=,r=a b", "non-printable"),
        ("p=tls-server-end-point,,n=,r=a", "malformed SCRAM message"), ("n,,r=a,n=", "malformed SCRAM message"),
        ("n,,n=,r=a\u{0}", "malformed SCRAM message"), ("p=tls-unique,,n=,r=a", "malformed SCRAM message"),
        (String(repeating: ",", count: 900), "malformed SCRAM message"),
    ]

    @Test("malformed first messages", arguments: malformed)
    func malformedFirst(message: String, reason: String) throws {
        var script = AuthenticationScript(.scram, try verifier())
        _ = script.begin()
        let line = script.clientFirst(message)
        #expect(line.hasPrefix("refused ") && line.contains(reason), "\(line)")
        #expect(script.clientFirst("n,,n=,r=abc") == "wait", "nothing happens after the end")
    }

    @Test("mechanisms that were not offered, and ones that do not fit their message")
    func mechanisms() throws {
        for mechanism in ["", "PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS"] {
            var script = AuthenticationScript(.scram, try verifier())
            _ = script.begin()
            let line = script.clientFirst("n,,n=,r=abc", mechanism: mechanism)
            #expect(line == "refused 08P01 client selected an invalid SASL authentication mechanism")
        }
        for message in ["n,,n=,r=a", "y,,n=,r=a", "p=tls-unique,,n=,r=a"] {
            var script = AuthenticationScript(.scram, try verifier(), certificateHash: [1])
            _ = script.begin()
            #expect(script.clientFirst(message, mechanism: "SCRAM-SHA-256-PLUS").hasPrefix("refused 08P01 "))
        }
    }

    @Test("malformed last messages")
    func malformedFinal() throws {
        for (message, reason) in [
            ("", "malformed"), ("c=biws", "malformed"), ("c=biws,r=abc", "malformed"),
            ("c=eSws,r=NONCE,p=AAAA", "unexpected"),
            ("c=biws,r=other,p=AAAA", "Nonce does not match."), ("c=biws,r=NONCE,p=AAAA", "Malformed proof"),
            ("c=biws,r=NONCE,p=!!!!", "Malformed proof"), ("c=biws,r=NONCE,x=1,p=", "Malformed proof"),
            ("r=NONCE,c=biws,p=AAAA", "malformed"), (",,,", "malformed"),
        ] {
            var script = AuthenticationScript(.scram, try verifier())
            _ = script.begin()
            let challenge = script.clientFirst("n,,n=,r=abc")
            let nonce = challenge.dropFirst(7).prefix { $0 != "," }
            let line = script.client(SASLResponse(data: ascii(message.replacing("NONCE", with: nonce))))
            #expect(line.hasPrefix("refused ") && line.contains(reason), "\(message): \(line)")
        }
    }

    @Test("whoever says something else is told what was expected")
    func otherMessages() throws {
        var script = AuthenticationScript(.password, password)
        _ = script.begin()
        #expect(script.client(Query("SELECT 1")) == "refused 08P01 expected password response, got message type 81")
        script = AuthenticationScript(.scram, try verifier())
        _ = script.begin()
        #expect(script.client(Terminate()) == "refused 08P01 expected SASL response, got message type 88")
    }

    @Test("who fails against a remembered secret is compared with the present one, once")
    func outdated() throws {
        let old = StoredSecret.password(Secret("old"))
        for (new, expected) in [(password, "admitted user (a password)"), (old, Self.refusal), (nil, "derive")] {
            var script = AuthenticationScript(.password, old, mayBeOutdated: true)
            _ = script.begin()
            #expect(script.client(PasswordMessage(ascii("pencil"))) == "look up again")
            #expect(AuthenticationScript.line(script.machine.lookedUp(new)) == expected)
        }
        var script = AuthenticationScript(.md5, old, mayBeOutdated: true)
        _ = script.begin()
        let answer = try MD5Password(password: ascii("pencil"), user: "user").answer(salt: [1, 2, 3, 4])
        #expect(script.client(PasswordMessage(answer)) == "look up again")
        #expect(AuthenticationScript.line(script.machine.lookedUp(try digest())) == "admitted user (an MD5 digest)")
    }

    @Test("random bytes never trap the machine, and admit nobody")
    func random() throws {
        var random = SplitMix64(seed: 11)
        let secrets = [nil, password, try digest(), try verifier()]
        let methods: [AuthMethod] = [.password, .md5, .scram]
        var refused = 0
        for round in 0..<4_000 {
            var script = AuthenticationScript(
                methods[round % 3], secrets[round % 4], certificateHash: round % 5 == 0 ? [1] : nil)
            var line = script.begin()
            if line == "derive" { line = AuthenticationScript.line(script.machine.derived(try RFC7677.keys())) }
            for _ in 0..<3 {
                var bytes = SASLInitialResponse(mechanism: "SCRAM-SHA-256", data: ascii("n,,n=,r=abc")).encoded()
                for _ in 0..<Int(random.next() % 3) {
                    bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
                }
                let step = script.machine.heard(bytes)
                if case .derive = step { _ = script.machine.derived(nil) }
                if case .refused = step { refused += 1 }
                if case .admitted = step { Issue.record("admitted by \(bytes)") }
            }
        }
        #expect(refused > 2_000)
    }
}
