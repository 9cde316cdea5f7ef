import Testing
import WaldenCore
import WaldenWire

@testable import WaldenAuth

extension SplitMix64 {
    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}

func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// The example of RFC 7677, section 3: user "user", password "pencil".
enum RFC7677 {
    static let random = Base64.decode(ascii("rOprNGfwEbeRWgbNEkqO")) ?? []
    static let clientFirstBare = "n=user,r=rOprNGfwEbeRWgbNEkqO"
    static let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    static let serverFirst = "r=\(nonce),s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    static let clientFinalWithoutProof = "c=biws,r=\(nonce)"
    static let proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    static let serverFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    static let salt = Base64.decode(ascii("W22ZaJ0SNY7soEsUEjb6gQ==")) ?? []

    static func keys() throws -> ScramKeys {
        let derivation = try #require(KeyDerivation(password: Secret("pencil"), salt: salt, iterations: 4096))
        return try #require(derivation.keys())
    }

    static func verifier() throws -> ScramVerifier {
        let keys = try keys()
        return ScramVerifier(iterations: 4096, salt: salt, storedKey: try keys.storedKey(), serverKey: keys.server)
    }
}

extension ClientAuthentication {
    /// What follows from the client's bytes.
    mutating func heard(_ bytes: [UInt8]) -> Step {
        receive(bytes.span.bytes).step
    }
}

extension ServerLogin {
    /// What follows from the server's bytes.
    mutating func heard(_ bytes: [UInt8]) -> Step {
        receive(bytes.span.bytes).step
    }
}
