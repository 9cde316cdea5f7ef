import WaldenWire

extension ServerLogin {
    /// One step of the authentication itself.
    mutating func answer(_ request: Authentication) -> Step {
        switch (phase, request) {
        case (.starting, .ok), (.answered, .ok):
            if channelBinding.isRequired { return fail(.unbound) }
            phase = .accepted
            return .wait
        case (.verified, .ok):
            phase = .accepted
            return .wait
        case (.starting, .cleartextPassword):
            guard case .password(let password) = credentials.proof else { return fail(.proof(asked: "a password")) }
            return sendPassword(password.bytes)
        case (.starting, .md5Password(let salt)):
            do throws(Crypto.Failure) {
                guard let digest = try digest() else { return fail(.proof(asked: "an MD5 digest")) }
                return sendPassword(try digest.answer(salt: salt))
            } catch {
                return fail(.crypto)
            }
        case (.starting, .sasl(let mechanisms)): return beginScram(mechanisms)
        case (.awaitingChallenge(let scram), .saslContinue(let message)): return challenged(scram, message)
        case (.awaitingSignature(let signature), .saslFinal(let message)):
            do throws(ScramClient.Fault) {
                try ScramClient.verify(message, signature: signature)
            } catch {
                return fail(.scram(error))
            }
            phase = .verified
            return .wait
        case (.starting, .other(let code, _)): return fail(.method(code))
        default: return fail(.unexpected(.authentication))
        }
    }

    private func digest() throws(Crypto.Failure) -> MD5Password? {
        switch credentials.proof {
        case .password(let password): try MD5Password(password: password.bytes, user: credentials.user)
        case .md5(let digest): digest
        case .none, .scram: nil
        }
    }

    private mutating func sendPassword(_ answer: [UInt8]) -> Step {
        if channelBinding.isRequired { return fail(.unbound) }
        phase = .answered
        return .send(PasswordMessage(answer).encoded())
    }

    private mutating func beginScram(_ mechanisms: [String]) -> Step {
        let offersBinding = mechanisms.contains(ScramMechanism.plus)
        let binding: ScramClient.Binding
        switch (channelBinding.certificateHash, offersBinding) {
        case (let hash?, true): binding = .certificate(hash: hash)
        case (_?, false): binding = .unoffered
        case (nil, _): binding = .unsupported
        }
        var mechanism = ScramMechanism.plain
        if case .certificate = binding { mechanism = ScramMechanism.plus }
        guard mechanisms.contains(mechanism) else { return fail(.mechanisms) }
        if channelBinding.isRequired, mechanism != ScramMechanism.plus { return fail(.unbound) }
        switch credentials.proof {
        case .password, .scram: break
        case .none, .md5: return fail(.proof(asked: "SCRAM-SHA-256"))
        }
        let scram = ScramClient(binding: binding, random: random)
        phase = .awaitingChallenge(scram)
        return .send(SASLInitialResponse(mechanism: mechanism, data: scram.clientFirst).encoded())
    }

    private mutating func challenged(_ scram: ScramClient, _ message: [UInt8]) -> Step {
        let challenge: ScramClient.Challenge
        do throws(ScramClient.Fault) {
            challenge = try scram.challenge(message)
        } catch {
            return fail(.scram(error))
        }
        switch credentials.proof {
        case .scram(let keys, let verifier):
            // With another salt these keys prove nothing: the password was set anew, or is kept otherwise there.
            guard verifier.salt == challenge.salt, verifier.iterations == challenge.iterations else {
                return fail(.otherVerifier)
            }
            return prove(scram, challenge, keys)
        case .password(let password):
            guard
                let derivation = KeyDerivation(
                    password: password, salt: challenge.salt, iterations: challenge.iterations)
            else { return fail(.scram(.limits)) }
            phase = .deriving(scram, challenge)
            return .derive(derivation)
        case .none, .md5: return fail(.proof(asked: "SCRAM-SHA-256"))
        }
    }

    mutating func prove(_ scram: ScramClient, _ challenge: ScramClient.Challenge, _ keys: ScramKeys) -> Step {
        do throws(ScramClient.Fault) {
            let (message, signature) = try scram.final(challenge, keys: keys)
            phase = .awaitingSignature(signature)
            return .send(SASLResponse(data: message).encoded())
        } catch {
            return fail(.scram(error))
        }
    }
}

/// The names under which SASL knows them (RFC 7677, section 3).
enum ScramMechanism {
    static let plain = "SCRAM-SHA-256"
    /// With channel binding.
    static let plus = "SCRAM-SHA-256-PLUS"
}
