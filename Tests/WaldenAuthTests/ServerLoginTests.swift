import Testing
import WaldenCore
import WaldenWire

@testable import WaldenAuth

/// A machine under a script: the server's messages go in, what the machine does comes out as a line of text.
struct LoginScript: ~Copyable {
    var login: ServerLogin

    init(
        _ proof: ServerCredentials.Proof, binding: ServerLogin.ChannelBinding = ServerLogin.ChannelBinding(),
        version: ProtocolVersion = .earliest
    ) {
        login = ServerLogin(
            startup: StartupMessage(version: version, user: "user", database: "db"),
            credentials: ServerCredentials(user: "user", proof: proof), channelBinding: binding,
            random: RFC7677.random)
    }

    mutating func server(_ messages: any BackendMessage...) -> ServerLogin.Step {
        let bytes = messages.flatMap { $0.encoded() }
        return login.receive(bytes.span.bytes).step
    }

    mutating func says(_ messages: any BackendMessage...) -> String {
        let bytes = messages.flatMap { $0.encoded() }
        return Self.line(login.receive(bytes.span.bytes).step)
    }

    static func line(_ step: ServerLogin.Step) -> String {
        switch step {
        case .wait: "wait"
        case .send(let bytes):
            "send " + String(decoding: bytes.dropFirst(5).map { $0 == 0 ? 0x7C : $0 }, as: UTF8.self)
        case .derive: "derive"
        case .ready(let greeting):
            "ready " + greeting.parameters.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        case .failed(let failure): "failed \(failure.origin): \(failure.error.detail ?? failure.error.message)"
        }
    }
}

private let ready: [any BackendMessage] = [
    ParameterStatus(name: "server_version", value: "15.1"), BackendKeyData(processID: 7, secret: [1, 2, 3, 4]),
    ReadyForQuery(.idle),
]

@Suite("Logging in on a server")
struct ServerLoginTests {
    @Test("trust: nothing is asked")
    func trust() {
        var script = LoginScript(.none)
        #expect(script.login.begin().dropFirst(8) == ascii("user\0user\0database\0db\0\0")[...])
        let bytes = ([Authentication.ok] as [any BackendMessage] + ready).flatMap { $0.encoded() }
        let (consumed, step) = script.login.receive((bytes + [0x54]).span.bytes)
        #expect(consumed == bytes.count, "what follows belongs to the session")
        guard case .ready(let greeting) = step else {
            Issue.record("\(step)")
            return
        }
        #expect(greeting.key == BackendKeyData(processID: 7, secret: [1, 2, 3, 4]))
        #expect(greeting.version == .earliest)
        #expect(greeting.parameters == [ParameterStatus(name: "server_version", value: "15.1")])
    }

    @Test("the same, byte by byte")
    func byteByByte() {
        var script = LoginScript(.none)
        let bytes = ([Authentication.ok] as [any BackendMessage] + ready).flatMap { $0.encoded() }
        var held: [UInt8] = []
        for (place, byte) in bytes.enumerated() {
            held.append(byte)
            let (consumed, step) = script.login.receive(held.span.bytes)
            held.removeFirst(consumed)
            #expect((step == .wait) == (place < bytes.count - 1))
        }
        #expect(held.isEmpty)
    }

    @Test("password and md5 are answered with what is held, or not at all")
    func passwords() throws {
        let digest = ServerCredentials.Proof.md5(try MD5Password(password: ascii("pencil"), user: "user"))
        let password = ServerCredentials.Proof.password(Secret("pencil"))
        let salted = Authentication.md5Password(salt: [1, 2, 3, 4])
        var script = LoginScript(password)
        #expect(script.says(Authentication.cleartextPassword) == "send pencil|")
        #expect(script.says(Authentication.ok, ReadyForQuery(.idle)) == "ready ")
        script = LoginScript(password)
        let answer = script.says(salted)
        script = LoginScript(digest)
        #expect(script.says(salted) == answer)
        #expect(answer.hasPrefix("send md5") && answer.count == 41)
        script = LoginScript(digest)
        #expect(script.says(Authentication.cleartextPassword).hasPrefix("failed credentials: It asks for a password"))
        script = LoginScript(.none)
        #expect(script.says(salted).hasPrefix("failed credentials: It asks for an MD5 digest"))
    }

    @Test("SCRAM-SHA-256 with a password: the keys are derived elsewhere, the server's signature is demanded")
    func scram() throws {
        var script = LoginScript(.password(Secret("pencil")))
        #expect(
            script.says(Authentication.sasl(mechanisms: ["SCRAM-SHA-256"])).hasSuffix("n,,n=,r=rOprNGfwEbeRWgbNEkqO"))
        let challenge = Authentication.saslContinue(data: ascii(RFC7677.serverFirst))
        guard case .derive(let work) = script.server(challenge) else {
            Issue.record("nothing to derive")
            return
        }
        #expect(LoginScript.line(script.login.derived(work.keys())).hasPrefix("send c=biws,r=\(RFC7677.nonce),p="))
        let transcript = ScramTranscript(
            ascii("n=,r=rOprNGfwEbeRWgbNEkqO"), ascii(RFC7677.serverFirst), ascii(RFC7677.clientFinalWithoutProof))
        let signature = Base64.encode(try transcript.serverSignature(try RFC7677.keys().server))
        #expect(script.says(Authentication.saslFinal(data: ascii("v=") + signature), Authentication.ok) == "wait")
        #expect(script.says(ReadyForQuery(.idle)) == "ready ")
    }

    @Test("keys shown by a client do where the verifier is the same, and nowhere else")
    func passedThrough() throws {
        let proof = ServerCredentials.Proof.scram(try RFC7677.keys(), try RFC7677.verifier())
        var script = LoginScript(proof)
        _ = script.server(Authentication.sasl(mechanisms: ["SCRAM-SHA-256"]))
        let answer = script.says(Authentication.saslContinue(data: ascii(RFC7677.serverFirst)))
        #expect(answer.hasPrefix("send c=biws"), "no derivation is needed")
        script = LoginScript(proof)
        _ = script.server(Authentication.sasl(mechanisms: ["SCRAM-SHA-256"]))
        let other = RFC7677.serverFirst.replacing("W22Z", with: "X22Z")
        guard case .failed(let failure) = script.server(Authentication.saslContinue(data: ascii(other))) else {
            Issue.record("keys of another salt were used")
            return
        }
        #expect(failure.wantsFreshProof)
        script = LoginScript(proof)
        #expect(script.says(Authentication.cleartextPassword).hasPrefix("failed credentials"))
    }

    @Test("a server that does not know the verifier is refused, and so is one that skips the end")
    func impostor() throws {
        let endings = [
            Authentication.saslFinal(data: ascii(RFC7677.serverFinal)).encoded(), Authentication.ok.encoded(),
            Authentication.saslFinal(data: ascii("e=other-error")).encoded(),
            Authentication.saslFinal(data: []).encoded(), ReadyForQuery(.idle).encoded(),
            Authentication.cleartextPassword.encoded(),
        ]
        for ending in endings {
            var script = LoginScript(.scram(try RFC7677.keys(), try RFC7677.verifier()))
            _ = script.server(Authentication.sasl(mechanisms: ["SCRAM-SHA-256"]))
            _ = script.server(Authentication.saslContinue(data: ascii(RFC7677.serverFirst)))
            let step = script.login.receive(ending.span.bytes).step
            #expect(LoginScript.line(step).hasPrefix("failed peer: "), "\(ending)")
        }
    }

    @Test(
        "challenges that are malformed, not ours, or out of bounds",
        arguments: [
            "", "r=", "e=x", "m=x,r=\(RFC7677.nonce),s=AAAA,i=1", "r=other,s=AAAA,i=4096",
            "r=rOprNGfwEbeRWgbNEkqO,s=AAAA,i=4096", "r=\(RFC7677.nonce),s=,i=4096", "r=\(RFC7677.nonce),s=A,i=4096",
            "r=\(RFC7677.nonce),s=AAAA,i=0", "r=\(RFC7677.nonce),s=AAAA,i=2147483648", "r=\(RFC7677.nonce),s=AAAA,i=-1",
            "r=\(RFC7677.nonce),s=AAAA,i=99999999999999999999", "r=\(RFC7677.nonce),s=AAAA",
            "r=\(RFC7677.nonce),i=4096",
        ])
    func challenges(message: String) {
        var script = LoginScript(.password(Secret("pencil")))
        _ = script.server(Authentication.sasl(mechanisms: ["SCRAM-SHA-256"]))
        let line = script.says(Authentication.saslContinue(data: ascii(message)))
        #expect(line.hasPrefix("failed peer: "), "\(line)")
    }

    @Test("channel binding is used where it can be, told where it cannot, and insisted on if required")
    func channelBinding() {
        let binding = ServerLogin.ChannelBinding(certificateHash: [1, 2, 3])
        let required = ServerLogin.ChannelBinding(certificateHash: [1, 2, 3], isRequired: true)
        let both = Authentication.sasl(mechanisms: ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"])
        let plain = Authentication.sasl(mechanisms: ["SCRAM-SHA-256"])
        let password = ServerCredentials.Proof.password(Secret("pencil"))
        var script = LoginScript(password, binding: binding)
        #expect(script.says(both).contains("p=tls-server-end-point,,n=,r="))
        script = LoginScript(password, binding: binding)
        #expect(script.says(plain).contains("y,,n=,r="))
        script = LoginScript(password)
        #expect(script.says(both).contains("n,,n=,r="))
        for request in [plain, .cleartextPassword, .md5Password(salt: [1, 2, 3, 4]), .ok] {
            script = LoginScript(password, binding: required)
            #expect(
                script.says(request)
                    == "failed peer: Channel binding is required, and the server asks for a method without it.")
        }
    }

    @Test("the server's own refusal is passed on, at any time")
    func refused() {
        var script = LoginScript(.password(Secret("wrong")))
        _ = script.server(Authentication.cleartextPassword)
        let error = ErrorResponse(
            severity: .fatal, sqlState: .invalidPassword, message: "password authentication failed")
        #expect(script.server(error) == .failed(LoginFailure(error, origin: .server)))
        #expect(script.says(ReadyForQuery(.idle)) == "wait", "nothing happens after the end")
        script = LoginScript(.none)
        let full = ErrorResponse(
            severity: .fatal, sqlState: .tooManyConnections, message: "sorry, too many clients already")
        #expect(script.server(Authentication.ok, full) == .failed(LoginFailure(full, origin: .server)))
        #expect(!LoginFailure(full, origin: .server).wantsFreshProof)
    }

    @Test("an older minor version is taken, one that was not offered is not")
    func versions() {
        var script = LoginScript(.none, version: .latest)
        let older = NegotiateProtocolVersion(version: .earliest, unrecognizedOptions: [])
        guard case .ready(let greeting) = script.server(older, Authentication.ok, ReadyForQuery(.idle)) else {
            Issue.record("not ready")
            return
        }
        #expect(greeting.version == .earliest)
        script = LoginScript(.none)
        let newer = NegotiateProtocolVersion(version: .latest, unrecognizedOptions: [])
        #expect(script.says(newer) == "failed peer: It chose a version of the protocol that was not offered.")
    }

    @Test("messages out of order, unknown, too long or too many")
    func outOfOrder() {
        for message: any BackendMessage in [
            ReadyForQuery(.idle), ParameterStatus(name: "a", value: "b"), Authentication.saslFinal(data: []),
            Authentication.saslContinue(data: []), CommandComplete("SELECT 1"),
        ] {
            var script = LoginScript(.password(Secret("pencil")))
            #expect(script.says(message).hasPrefix("failed peer: "))
        }
        var script = LoginScript(.none)
        #expect(script.says(Authentication.other(code: 7, data: [])).contains("authentication method 7"))
        script = LoginScript(.none)
        #expect(
            LoginScript.line(script.login.receive([0x52, 0x7F, 0xFF, 0xFF, 0xFF].span.bytes).step).hasPrefix(
                "failed peer"))
        script = LoginScript(.none)
        _ = script.server(Authentication.ok)
        let status = ParameterStatus(name: "a", value: "b").encoded()
        let flood = Array(repeating: status, count: ServerLogin.messageLimit).flatMap(\.self)
        #expect(LoginScript.line(script.login.receive(flood.span.bytes).step).contains("is not ready"))
    }

    @Test("random messages never trap the machine")
    func random() throws {
        var random = SplitMix64(seed: 9)
        let proofs: [ServerCredentials.Proof] = [
            .none, .password(Secret("pencil")), .scram(try RFC7677.keys(), try RFC7677.verifier()),
        ]
        let good: [any BackendMessage] = [
            Authentication.ok, Authentication.sasl(mechanisms: ["SCRAM-SHA-256"]), Authentication.cleartextPassword,
            Authentication.saslContinue(data: ascii(RFC7677.serverFirst)),
            NoticeResponse(severity: .notice, sqlState: .successfulCompletion, message: ""),
            Authentication.saslFinal(data: ascii(RFC7677.serverFinal)), ReadyForQuery(.idle),
        ]
        var failed = 0
        for round in 0..<3_000 {
            var script = LoginScript(proofs[round % proofs.count])
            for _ in 0..<6 {
                var bytes = good[Int(random.next() % UInt64(good.count))].encoded()
                if random.next() % 2 == 0 {
                    bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
                }
                switch script.login.receive(bytes.span.bytes).step {
                case .derive: _ = script.login.derived(nil)
                case .failed: failed += 1
                default: break
                }
            }
        }
        #expect(failed > 1_000)
    }
}
