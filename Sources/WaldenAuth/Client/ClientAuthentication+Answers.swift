import WaldenCore
import WaldenWire

extension ClientAuthentication {
    mutating func act(on body: Range<Int>, in input: borrowing RawSpan) throws(WireError) -> Step {
        switch phase {
        case .awaitingPassword:
            let password = try PasswordMessage(in: input, body: body).password
            return password.isEmpty ? emptyPassword() : compare(Secret(password))
        case .awaitingDigest(let salt):
            let digest = try PasswordMessage(in: input, body: body).password
            return digest.isEmpty ? emptyPassword() : compare(digest, salt: salt)
        case .awaitingFirst(let scram, let isMock):
            return first(scram, isMock, try SASLInitialResponse(in: input, body: body))
        case .awaitingFinal(let scram, let pending, let isMock):
            return final(scram, pending, isMock, try SASLResponse(in: input, body: body))
        case .beginning, .derivingPassword, .derivingVerifier, .lookingUpAgain, .ended: return .wait
        }
    }

    // MARK: Passwords and digests

    /// Compares a password in clear with what is kept. A user without a secret, or with a verifier, costs one derivation.
    mutating func compare(_ password: Secret) -> Step {
        switch claim.secret {
        case .password(let kept): return kept == password ? admit(.password(password)) : failed(.password(password))
        case .md5(let kept):
            guard let digest = try? MD5Password(password: password.bytes, user: claim.user) else { return broken() }
            return kept == digest ? admit(.password(password)) : failed(.password(password))
        case .scram(let verifier): return derive(password, verifier, isMock: false)
        case nil:
            guard let mock = try? mocks.verifier(for: claim.user) else { return broken() }
            return derive(password, mock, isMock: true)
        }
    }

    private mutating func derive(_ password: Secret, _ verifier: ScramVerifier, isMock: Bool) -> Step {
        guard
            let derivation = KeyDerivation(
                password: password, salt: verifier.salt, iterations: verifier.iterations)
        else { return broken() }
        phase = .derivingPassword(password, verifier, isMock: isMock)
        return .derive(derivation)
    }

    /// Compares the answer to an MD5 request with the one that is due.
    mutating func compare(_ answer: [UInt8], salt: [UInt8]) -> Step {
        let proof: ServerCredentials.Proof
        let due: [UInt8]?
        switch claim.secret {
        case .password(let kept):
            proof = .password(kept)
            due = try? MD5Password(password: kept.bytes, user: claim.user).answer(salt: salt)
        case .md5(let kept):
            proof = .md5(kept)
            due = try? kept.answer(salt: salt)
        case .scram, nil: return refuse()
        }
        guard let due else { return broken() }
        return Crypto.equals(answer, due) ? admit(proof) : failed(.digest(answer, salt: salt))
    }

    // MARK: SCRAM

    mutating func beginScram() -> Step {
        switch claim.secret {
        case .scram(let verifier): return ask(verifier, isMock: false)
        case .password(let password):
            guard let salt = try? mocks.salt(for: claim.user),
                let derivation = KeyDerivation(password: password, salt: salt, iterations: MockSecrets.iterations)
            else { return broken() }
            phase = .derivingVerifier(salt: salt)
            return .derive(derivation)
        case .md5, nil:
            guard let mock = try? mocks.verifier(for: claim.user) else { return broken() }
            return ask(mock, isMock: true)
        }
    }

    mutating func ask(_ verifier: ScramVerifier, isMock: Bool) -> Step {
        let scram = ScramServer(verifier: verifier, certificateHash: claim.certificateHash)
        phase = .awaitingFirst(scram, isMock: isMock)
        return .send(Authentication.sasl(mechanisms: scram.mechanisms).encoded())
    }

    private mutating func first(_ scram: ScramServer, _ isMock: Bool, _ response: SASLInitialResponse) -> Step {
        // SCRAM has the client speak first.
        guard let message = response.data else {
            return end(ErrorResponse(ScramServer.Violation.malformed("The message is empty.")))
        }
        do throws(ScramServer.Violation) {
            let pending = try scram.first(message, mechanism: response.mechanism, random: random)
            phase = .awaitingFinal(scram, pending, isMock: isMock)
            return .send(Authentication.saslContinue(data: pending.serverFirst).encoded())
        } catch {
            return end(ErrorResponse(error))
        }
    }

    private mutating func final(
        _ scram: ScramServer, _ pending: ScramServer.Pending, _ isMock: Bool, _ response: SASLResponse
    ) -> Step {
        do throws(ScramServer.Violation) {
            guard let proven = try scram.final(response.data, pending), !isMock else { return failed(.scram) }
            let bytes = Authentication.saslFinal(data: proven.serverFinal).encoded()
            // A password kept in clear answers any server; else the client's key, where the verifier is the same.
            if case .password(let password) = claim.secret { return admit(.password(password), after: bytes) }
            let keys = ScramKeys(client: proven.clientKey, server: scram.verifier.serverKey)
            return admit(.scram(keys, scram.verifier), after: bytes)
        } catch {
            return end(ErrorResponse(error))
        }
    }

    // MARK: Ends

    mutating func admit(_ proof: ServerCredentials.Proof, after bytes: [UInt8] = []) -> Step {
        phase = .ended
        return .admitted(bytes + Authentication.ok.encoded(), ServerCredentials(user: claim.user, proof: proof))
    }

    /// A wrong proof, unless the secret has changed meanwhile.
    mutating func failed(_ answer: Answer) -> Step {
        guard claim.mayBeOutdated else { return refuse() }
        phase = .lookingUpAgain(answer)
        return .lookUpAgain
    }

    /// The same words whatever the reason, as PostgreSQL's `auth_failed`.
    mutating func refuse() -> Step {
        end(
            ErrorResponse(
                severity: .fatal,
                sqlState: method.asksPassword ? .invalidPassword : .invalidAuthorizationSpecification,
                message: method.asksPassword
                    ? "password authentication failed for user \"\(claim.user)\""
                    : "connection rejected for user \"\(claim.user)\""))
    }

    private mutating func emptyPassword() -> Step {
        end(
            ErrorResponse(
                severity: .fatal, sqlState: .invalidPassword, message: "empty password returned by client"))
    }

    mutating func unexpected(_ tag: UInt8) -> Step {
        var expected = "password"
        switch phase {
        case .awaitingFirst, .awaitingFinal: expected = "SASL"
        default: break
        }
        return end(
            ErrorResponse(
                severity: .fatal, sqlState: .protocolViolation,
                message: "expected \(expected) response, got message type \(tag)"))
    }

    /// libcrypto refused, as MD5 under FIPS 140.
    mutating func broken() -> Step {
        end(
            ErrorResponse(
                severity: .fatal, sqlState: .internalError,
                message: "Walden could not compute what authentication method \(method.rawValue) needs",
                hint: "MD5 is switched off where FIPS 140 is in force; use scram-sha-256."))
    }

    mutating func end(_ error: ErrorResponse) -> Step {
        phase = .ended
        return .refused(error)
    }
}

extension ErrorResponse {
    init(_ violation: ScramServer.Violation) {
        self.init(
            severity: .fatal, sqlState: violation.sqlState, message: violation.message, detail: violation.detail)
    }
}
