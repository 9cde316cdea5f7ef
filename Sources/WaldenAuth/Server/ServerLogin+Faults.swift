import WaldenWire

extension ServerLogin {
    /// Why Walden itself gives a login up.
    enum Fault {
        case malformed(WireError)
        case unexpected(BackendTag)
        case tooManyMessages
        case protocolVersion
        /// An authentication request that nobody here can answer, by its code.
        case method(Int32)
        /// SASL without a mechanism that is known here.
        case mechanisms
        /// The proof at hand does not answer what is asked.
        case proof(asked: String)
        /// The keys at hand belong to another verifier than the server's.
        case otherVerifier
        /// Channel binding is required and the server does without.
        case unbound
        case scram(ScramClient.Fault)
        case crypto
    }

    func failure(_ fault: Fault) -> LoginFailure {
        let what = "Walden could not log in on the server as \"\(credentials.user)\""
        func failure(
            _ origin: LoginFailure.Origin, _ state: SQLState, _ detail: String, hint: String? = nil
        ) -> LoginFailure {
            LoginFailure(
                ErrorResponse(severity: .fatal, sqlState: state, message: what, detail: detail, hint: hint),
                origin: origin)
        }
        switch fault {
        case .malformed(let error): return failure(.peer, .protocolViolation, "What it sent is malformed: \(error).")
        case .unexpected(let tag):
            return failure(.peer, .protocolViolation, "It sent a message of type \(tag.rawValue) out of order.")
        case .tooManyMessages:
            return failure(.peer, .protocolViolation, "It sent over \(Self.messageLimit) messages and is not ready.")
        case .protocolVersion:
            return failure(.peer, .protocolViolation, "It chose a version of the protocol that was not offered.")
        case .method(let code):
            return failure(
                .credentials, .featureNotSupported,
                "It asks for authentication method \(code) (Kerberos, GSSAPI or SSPI), which Walden does not speak.",
                hint: "Let pg_hba.conf ask Walden's address for scram-sha-256.")
        case .mechanisms:
            return failure(
                .credentials, .featureNotSupported, "It offers no SASL mechanism that Walden speaks.",
                hint: "Let pg_hba.conf ask Walden's address for scram-sha-256.")
        case .proof(let asked):
            return failure(
                .credentials, .invalidAuthorizationSpecification,
                "It asks for \(asked), and Walden holds \(credentials.proof.kind) of this user.",
                hint: "Give the user's password in auth.user_file, or let pg_hba.conf ask Walden's address for "
                    + "what auth.method asks of clients.")
        case .otherVerifier:
            return failure(
                .credentials, .invalidAuthorizationSpecification,
                "Its salt or iterations differ from those of the verifier that the client was checked by.",
                hint: "If the password was changed, connect again; if this server is no copy of the primary, give the "
                    + "user's password in auth.user_file.")
        case .unbound:
            return failure(
                .peer, .invalidAuthorizationSpecification,
                "Channel binding is required, and the server asks for a method without it.")
        case .scram(let fault): return failure(.peer, .protocolViolation, fault.words)
        case .crypto: return failure(.peer, .internalError, "libcrypto refused to compute what the server asks for.")
        }
    }
}

extension ScramClient.Fault {
    /// A sentence that tells nothing of the messages themselves.
    var words: String {
        switch self {
        case .malformed: "Its SCRAM message is malformed."
        case .nonce: "Its SCRAM nonce does not begin with ours."
        case .limits:
            "It asks for more than \(KeyDerivation.iterationLimit) iterations of SCRAM, or for a salt of over "
                + "\(KeyDerivation.saltByteLimit) bytes."
        case .signature: "It could not prove that it knows the user's verifier."
        case .crypto: "libcrypto refused to compute the SCRAM proof."
        }
    }
}
