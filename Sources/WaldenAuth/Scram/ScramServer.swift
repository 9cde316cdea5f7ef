import WaldenWire

/// The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677; PostgreSQL `auth-scram.c`, whose texts these are):
///
///     client-first ──► server-first ──► client-final ──► verified, server-final │ refused
///
/// A user without a verifier is led through the same exchange with a made-up one (mock authentication), and fails at its
/// end like a wrong password. Nothing here is slow: the client does the PBKDF2.
struct ScramServer: Sendable {
    /// What the client did wrong, in PostgreSQL's words. A wrong proof is none of these.
    struct Violation: Error, Hashable {
        let sqlState: SQLState
        let message: String
        let detail: String?

        static func malformed(_ detail: String) -> Violation {
            Violation(sqlState: .protocolViolation, message: "malformed SCRAM message", detail: detail)
        }
    }

    /// What is kept between the two messages of the client.
    struct Pending: Hashable, Sendable {
        let clientFirstBare: [UInt8]
        let serverFirst: [UInt8]
        let nonce: [UInt8]
        /// What `c=` must say, in base64.
        let binding: [UInt8]
    }

    /// What the length field of a message may say; PostgreSQL's `PG_MAX_SASL_MESSAGE_LENGTH`.
    static let messageByteLimit = 1_024

    let verifier: ScramVerifier
    /// The hash of Walden's own certificate; nil without TLS, and then no channel binding is offered.
    let certificateHash: [UInt8]?

    var mechanisms: [String] {
        certificateHash == nil ? [ScramMechanism.plain] : [ScramMechanism.plus, ScramMechanism.plain]
    }

    /// Reads the client-first-message.
    ///
    /// - Parameter random: 18 bytes that nobody can foresee.
    func first(_ message: [UInt8], mechanism: String, random: [UInt8]) throws(Violation) -> Pending {
        let isBound: Bool
        switch mechanism {
        case ScramMechanism.plus where certificateHash != nil: isBound = true
        case ScramMechanism.plain: isBound = false
        default:
            throw Violation(
                sqlState: .protocolViolation, message: "client selected an invalid SASL authentication mechanism",
                detail: nil)
        }
        let parts = try Self.parts(message)
        guard parts.count >= 4 else { throw .malformed("An attribute is missing from the client-first-message.") }
        let header = try checkedHeader(parts[0], isBound: isBound)
        guard parts[1].isEmpty else {
            guard ScramText.value("a", of: parts[1]) != nil else {
                throw .malformed("Unexpected attribute in client-first-message.")
            }
            throw Violation(
                sqlState: .featureNotSupported,
                message: "client uses authorization identity, but it is not supported", detail: nil)
        }
        if ScramText.value("m", of: parts[2]) != nil {
            throw Violation(
                sqlState: .featureNotSupported, message: "client requires an unsupported SCRAM extension", detail: nil)
        }
        // The user is the one of the startup packet; what stands here is passed over, as in PostgreSQL.
        guard ScramText.value("n", of: parts[2]) != nil else { throw .malformed("Expected attribute \"n\".") }
        guard let clientNonce = ScramText.value("r", of: parts[3]) else {
            throw .malformed("Expected attribute \"r\".")
        }
        guard ScramText.isPrintable(clientNonce) else {
            throw Violation(
                sqlState: .protocolViolation, message: "non-printable characters in SCRAM nonce", detail: nil)
        }
        let nonce = clientNonce + Base64.encode(random)
        let salt = Base64.encode(verifier.salt)
        return Pending(
            clientFirstBare: Array(message[parts[2].startIndex...]),
            serverFirst: "r=".utf8 + nonce + ",s=".utf8 + salt + ",i=\(verifier.iterations)".utf8,
            nonce: Array(nonce),
            binding: Base64.encode(header + [ScramText.comma, ScramText.comma] + boundData(isBound)))
    }

    private func boundData(_ isBound: Bool) -> [UInt8] { isBound ? certificateHash ?? [] : [] }

    /// The flag of the GS2 header, which must agree with the mechanism chosen.
    private func checkedHeader(_ flag: ScramText.Slice, isBound: Bool) throws(Violation) -> [UInt8] {
        if flag.elementsEqual("n".utf8) || flag.elementsEqual("y".utf8) {
            guard !isBound else {
                throw .malformed(
                    "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data."
                )
            }
            // Somebody between has taken the offer out of the list.
            guard flag.elementsEqual("n".utf8) || certificateHash == nil else {
                throw Violation(
                    sqlState: .invalidAuthorizationSpecification, message: "SCRAM channel binding negotiation error",
                    detail: "The client supports SCRAM channel binding but thinks the server does not.  "
                        + "However, this server does support channel binding.")
            }
        } else if let type = ScramText.value("p", of: flag) {
            guard isBound else {
                throw .malformed(
                    "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes "
                        + "channel binding data.")
            }
            guard type.elementsEqual("tls-server-end-point".utf8) else {
                throw Violation(
                    sqlState: .protocolViolation, message: "unsupported SCRAM channel-binding type", detail: nil)
            }
        } else {
            throw .malformed("Unexpected channel-binding flag.")
        }
        return Array(flag)
    }

    /// Reads the client-final-message: the client's key and the server-final-message, or nil for a wrong proof.
    func final(
        _ message: [UInt8], _ pending: Pending
    ) throws(Violation) -> (clientKey: Secret, serverFinal: [UInt8])? {
        let parts = try Self.parts(message)
        guard parts.count >= 3, let binding = ScramText.value("c", of: parts[0]) else {
            throw .malformed("Expected attribute \"c\".")
        }
        guard binding.elementsEqual(pending.binding) else {
            throw certificateHash != nil && pending.binding.count > 8
                ? Violation(
                    sqlState: .invalidAuthorizationSpecification, message: "SCRAM channel binding check failed",
                    detail: nil)
                : Violation(
                    sqlState: .protocolViolation,
                    message: "unexpected SCRAM channel-binding attribute in client-final-message",
                    detail: nil)
        }
        guard let nonce = ScramText.value("r", of: parts[1]) else { throw .malformed("Expected attribute \"r\".") }
        guard nonce.elementsEqual(pending.nonce) else {
            throw Violation(
                sqlState: .protocolViolation, message: "invalid SCRAM response", detail: "Nonce does not match.")
        }
        let last = parts[parts.count - 1]
        guard let text = ScramText.value("p", of: last), let proof = Base64.decode(text),
            proof.count == Crypto.digestByteCount
        else { throw .malformed("Malformed proof in client-final-message.") }
        let withoutProof = Array(message[..<(last.startIndex - 1)])
        do throws(Crypto.Failure) {
            return try verify(proof, ScramTranscript(pending.clientFirstBare, pending.serverFirst, withoutProof))
        } catch {
            throw Violation(sqlState: .internalError, message: "libcrypto refused to check a SCRAM proof", detail: nil)
        }
    }

    private func verify(
        _ proof: [UInt8], _ transcript: ScramTranscript
    ) throws(Crypto.Failure) -> (clientKey: Secret, serverFinal: [UInt8])? {
        let key = try transcript.clientKey(proof: proof, storedKey: verifier.storedKey)
        let signature = try transcript.serverSignature(verifier.serverKey)
        guard try Secret(Crypto.sha256(key.bytes)) == verifier.storedKey else { return nil }
        return (key, Array("v=".utf8) + Base64.encode(signature))
    }

    private static func parts(_ message: [UInt8]) throws(Violation) -> [ScramText.Slice] {
        guard !message.isEmpty else { throw .malformed("The message is empty.") }
        guard !message.contains(0) else { throw .malformed("Message length does not match input length.") }
        return ScramText.parts(message[...])
    }
}
