/// The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677): what is sent, and whether the server knew the verifier.
///
///     client-first ──► server-first ──► [keys from the password] ──► client-final ──► server-final, verified
///
/// It proves the password to the server and demands the same of the server: a server that only let the client prove
/// itself may be anyone.
struct ScramClient: Sendable {
    /// How the messages are bound to the TLS connection below them (RFC 5802, section 6; RFC 5929, section 4).
    enum Binding: Hashable, Sendable {
        /// `n`: no TLS, or nothing to bind to.
        case unsupported
        /// `y`: possible here, but the server offered no mechanism with it. A server that did notices the downgrade.
        case unoffered
        /// `p=tls-server-end-point` with the hash of the server's certificate.
        case certificate(hash: [UInt8])

        var header: [UInt8] {
            switch self {
            case .unsupported: Array("n,,".utf8)
            case .unoffered: Array("y,,".utf8)
            case .certificate: Array("p=tls-server-end-point,,".utf8)
            }
        }

        var data: [UInt8] {
            if case .certificate(let hash) = self { return hash }
            return []
        }
    }

    /// What is wrong with what the server said.
    enum Fault: Error, Hashable {
        case malformed
        /// The nonce is not the client's with the server's appended.
        case nonce
        /// More iterations or a longer salt than is good for us.
        case limits
        /// The server does not know the verifier, or refused (`e=`).
        case signature
        case crypto
    }

    /// What the server asks to prove.
    struct Challenge: Hashable, Sendable {
        let message: [UInt8]
        let nonce: [UInt8]
        let salt: [UInt8]
        let iterations: Int
    }

    let binding: Binding
    private let nonce: [UInt8]

    /// - Parameter random: 18 bytes that nobody can foresee.
    init(binding: Binding, random: [UInt8]) {
        self.binding = binding
        nonce = Base64.encode(random)
    }

    /// Servers take the user from the startup packet; `n=` stays empty, as libpq sends it.
    private var firstBare: [UInt8] { Array("n=,r=".utf8) + nonce }

    var clientFirst: [UInt8] { binding.header + firstBare }

    /// Reads `r=…,s=…,i=…`. Extensions after them are passed over, as RFC 5802 has it.
    func challenge(_ message: [UInt8]) throws(Fault) -> Challenge {
        let parts = ScramText.parts(message[...])
        guard parts.count >= 3, let nonce = ScramText.value("r", of: parts[0]),
            let salt = ScramText.value("s", of: parts[1]), let count = ScramText.value("i", of: parts[2]),
            ScramText.isPrintable(nonce), let salt = Base64.decode(salt), !salt.isEmpty
        else { throw .malformed }
        guard nonce.starts(with: self.nonce), nonce.count > self.nonce.count else { throw .nonce }
        guard let iterations = ScramText.iterations(count), salt.count <= KeyDerivation.saltByteLimit else {
            throw .limits
        }
        return Challenge(message: message, nonce: Array(nonce), salt: salt, iterations: iterations)
    }

    /// The client-final-message, and the signature that the server must answer with.
    func final(_ challenge: Challenge, keys: ScramKeys) throws(Fault) -> (message: [UInt8], signature: [UInt8]) {
        let bound = Base64.encode(binding.header + binding.data)
        let withoutProof = Array("c=".utf8) + bound + Array(",r=".utf8) + challenge.nonce
        let transcript = ScramTranscript(firstBare, challenge.message, withoutProof)
        do throws(Crypto.Failure) {
            let proof = try transcript.proof(keys)
            let signature = try transcript.serverSignature(keys.server)
            return (withoutProof + Array(",p=".utf8) + Base64.encode(proof), signature)
        } catch {
            throw .crypto
        }
    }

    /// Whether the server-final-message `v=…` holds that signature.
    static func verify(_ message: [UInt8], signature: [UInt8]) throws(Fault) {
        let parts = ScramText.parts(message[...])
        if ScramText.value("e", of: parts[0]) != nil { throw .signature }
        guard let value = ScramText.value("v", of: parts[0]), let told = Base64.decode(value) else { throw .malformed }
        guard Crypto.equals(told, signature) else { throw .signature }
    }
}

/// AuthMessage: the three messages that both sides sign (RFC 5802, section 3).
struct ScramTranscript {
    private let message: [UInt8]

    init(_ clientFirstBare: [UInt8], _ serverFirst: [UInt8], _ clientFinalWithoutProof: [UInt8]) {
        message = clientFirstBare + [ScramText.comma] + serverFirst + [ScramText.comma] + clientFinalWithoutProof
    }

    /// ClientProof: the client's key under a mask that only who knows the stored key can take off.
    func proof(_ keys: ScramKeys) throws(Crypto.Failure) -> [UInt8] {
        Self.exclusiveOr(keys.client.bytes, try clientSignature(try keys.storedKey()))
    }

    /// The client's key as the proof shows it to who keeps `storedKey`; it is the right one if its digest is that.
    func clientKey(proof: [UInt8], storedKey: Secret) throws(Crypto.Failure) -> Secret {
        Secret(Self.exclusiveOr(proof, try clientSignature(storedKey)))
    }

    func serverSignature(_ serverKey: Secret) throws(Crypto.Failure) -> [UInt8] {
        try Crypto.hmacSHA256(key: serverKey.bytes, message)
    }

    private func clientSignature(_ storedKey: Secret) throws(Crypto.Failure) -> [UInt8] {
        try Crypto.hmacSHA256(key: storedKey.bytes, message)
    }

    private static func exclusiveOr(_ one: [UInt8], _ other: [UInt8]) -> [UInt8] {
        zip(one, other).map { $0 ^ $1 }
    }
}
