import Testing

@testable import WaldenAuth

@Suite("What libcrypto computes is what the standards say")
struct CryptoTests {
    @Test(
        "base64 both ways (RFC 4648, section 10)",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy"),
        ])
    func base64(plain: String, encoded: String) {
        #expect(text(Base64.encode(ascii(plain))) == encoded)
        #expect(Base64.decode(ascii(encoded)) == ascii(plain))
    }

    @Test(
        "what is not base64 is refused",
        arguments: ["Zg=", "Zg", "Zm9v ", " Zm9", "Z===", "====", "Zm=v", "Zm9v\n", "Zm9-"])
    func notBase64(encoded: String) {
        #expect(Base64.decode(ascii(encoded)) == nil)
    }

    @Test("HMAC-SHA-256 (RFC 4231, case 2) and PBKDF2 (RFC 7914, section 11)")
    func derivations() throws {
        let mac = try Crypto.hmacSHA256(key: ascii("Jefe"), ascii("what do ya want for nothing?"))
        #expect(mac.prefix(8) == [0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e])
        let derived = try Crypto.pbkdf2(password: ascii("passwd"), salt: ascii("salt"), iterations: 1)
        #expect(derived.prefix(8) == [0x55, 0xac, 0x04, 0x6e, 0x56, 0xe3, 0x08, 0x9f])
    }

    @Test("the example of RFC 7677, section 3")
    func scramExample() throws {
        let transcript = ScramTranscript(
            ascii(RFC7677.clientFirstBare), ascii(RFC7677.serverFirst), ascii(RFC7677.clientFinalWithoutProof))
        let keys = try RFC7677.keys()
        let proof = try transcript.proof(keys)
        #expect(text(Base64.encode(proof)) == RFC7677.proof)
        #expect("v=" + text(Base64.encode(try transcript.serverSignature(keys.server))) == RFC7677.serverFinal)
        #expect(try transcript.clientKey(proof: proof, storedKey: try keys.storedKey()) == keys.client)
    }

    @Test("verifiers as PostgreSQL keeps them")
    func verifiers() throws {
        let keys = try RFC7677.keys()
        let stored = text(Base64.encode(try keys.storedKey().bytes))
        let server = text(Base64.encode(keys.server.bytes))
        let salt = text(Base64.encode(RFC7677.salt))
        let verifier = try #require(ScramVerifier(ascii("SCRAM-SHA-256$4096:\(salt)$\(stored):\(server)")))
        #expect(try verifier == RFC7677.verifier())
        #expect(verifier.matches(keys) == true)
        for bad in [
            "", "SCRAM-SHA-256", "SCRAM-SHA-1$4096:\(salt)$\(stored):\(server)",
            "SCRAM-SHA-256$0:\(salt)$\(stored):\(server)", "SCRAM-SHA-256$2000000:\(salt)$\(stored):\(server)",
            "SCRAM-SHA-256$4096:$\(stored):\(server)", "SCRAM-SHA-256$4096:\(salt)$\(stored)",
            "SCRAM-SHA-256$4096:\(salt)$Zm9v:\(server)", "SCRAM-SHA-256$-1:\(salt)$\(stored):\(server)",
            "SCRAM-SHA-256$4096:\(salt)$\(stored):\(server)$",
        ] {
            #expect(ScramVerifier(ascii(bad)) == nil, "\(bad)")
        }
    }

    @Test("md5 as PostgreSQL keeps and answers it")
    func md5() throws {
        let digest = try MD5Password(password: ascii("secret"), user: "joe")
        #expect(text(digest.digits.bytes) == "c59ec932d911ffdf487595b5a2adf973")
        #expect(text(try digest.answer(salt: [1, 2, 3, 4])) == "md5850be429f1fe77df3f603ac424abb440")
        #expect(MD5Password(ascii("md5") + digest.digits.bytes) == digest)
        for bad in ["md5", "md5123", "MD5c59ec932d911ffdf487595b5a2adf973", "md5c59ec932d911ffdf487595b5a2adf97g"] {
            #expect(MD5Password(ascii(bad)) == nil)
        }
    }

    @Test(
        "SASLprep: the examples of RFC 4013, section 3, and where PostgreSQL keeps the raw bytes",
        arguments: [
            ("I\u{AD}X", "IX"), ("user", "user"), ("USER", "USER"), ("\u{AA}", "a"), ("\u{2168}", "IX"),
            // Prohibited (a control character, bidi) or in ASCII: as it is.
            ("\u{7}", "\u{7}"), ("\u{E9}\u{7}", "\u{E9}\u{7}"), ("\u{627}1", "\u{627}1"),
            // Non-ASCII spaces become spaces; what is nothing but removed stays.
            ("a\u{A0}b", "a b"), ("\u{AD}", "\u{AD}"), ("e\u{301}", "\u{E9}"),
            // Assigned after Unicode 3.2.
            ("\u{221}", "\u{221}"), ("\u{1F600}", "\u{1F600}"), ("\u{FDFA}", "صلى الله عليه وسلم"), ("", ""),
        ])
    func saslPrep(raw: String, prepared: String) {
        #expect(SASLPrep.prepared(Array(raw.utf8)) == Array(prepared.utf8))
    }

    @Test("bytes that are no UTF-8 are hashed as they are")
    func rawPassword() {
        #expect(SASLPrep.prepared([0xFF, 0x41, 0xC3]) == [0xFF, 0x41, 0xC3])
    }

    @Test("no description or dump shows a secret")
    func hidden() throws {
        let proofs: [ServerCredentials.Proof] = [
            .password(Secret("pencil")), .md5(try MD5Password(password: ascii("pencil"), user: "user")),
            .scram(try RFC7677.keys(), try RFC7677.verifier()),
        ]
        for proof in proofs {
            let credentials = ServerCredentials(user: "user", proof: proof)
            var dumped = ""
            dump(credentials, to: &dumped)
            dump(proof, to: &dumped)
            let shown =
                "\(credentials) \(proof) \(String(reflecting: credentials)) \(String(reflecting: proof))" + dumped
            #expect(!shown.contains("pencil"))
            #expect(!shown.contains("112, 101"), "the bytes of a password, as an array prints them")
        }
    }
}
