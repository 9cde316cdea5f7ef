import WaldenAuth
import WaldenCore
import WaldenSession
import WaldenWire

/// What anybody can send who reaches a listener: PROXY header, requests for encryption, startup packet, and the answers of
/// an authentication.
///
/// The first byte chooses what the listener demands and how clients are authenticated, the second how the rest is cut into
/// reads.
public enum FrontFuzzer {
    public static func run(_ input: [UInt8]) {
        guard input.count > 2 else { return }
        let policy = FrontPolicy(
            proxyHeader: [.refused, .accepted, .required, .accepted][Int(input[0] & 3)],
            encryption: [.unavailable, .offered, .required, .offered][Int(input[0] >> 2 & 3)])
        let methods = AuthMethod.allCases
        let method = methods[Int(input[0] >> 4) % methods.count]
        var front = ConnectionFront(policy)
        var reads = Reads(input.dropFirst(2), cut: input[1])
        while reads.next() {
            while true {
                let step = front.next(reads.unread.span.bytes)
                if case .proxied(let count, _) = step {
                    reads.consume(count)
                } else if case .declined(let count) = step {
                    reads.consume(count)
                } else if case .beginTLS(let count) = step {
                    reads.consume(count)
                    if front.tlsEstablished(applicationProtocol: ConnectionFront.applicationProtocol) != nil { return }
                } else if case .start(let message, let count) = step {
                    reads.consume(count)
                    _ = message.negotiation?.encoded()
                    return authenticate(message.user, method, &reads)
                } else if case .refuse(let fault) = step {
                    _ = fault.response?.encoded()
                    _ = fault.description
                    return
                } else if case .cancel = step {
                    return
                } else {
                    break
                }
            }
        }
    }

    private static func authenticate(_ user: String, _ method: AuthMethod, _ reads: inout Reads) {
        let secret = StoredSecret(Array("secret".utf8))
        let claim = ClientAuthentication.Claim(
            user: user, secret: user.utf8.count.isMultiple(of: 2) ? secret : nil, mayBeOutdated: true,
            certificateHash: [1, 2, 3])
        var machine = ClientAuthentication(
            method: method, claim: claim, mocks: MockSecrets(key: [UInt8](repeating: 7, count: 32)),
            random: [UInt8](repeating: 9, count: 18))
        guard goesOn(machine.begin(), &machine) else { return }
        repeat {
            var isConsuming = true
            while isConsuming {
                let (consumed, step) = machine.receive(reads.unread.span.bytes)
                reads.consume(consumed)
                guard goesOn(step, &machine) else { return }
                isConsuming = consumed > 0
            }
        } while reads.next()
    }

    private static func goesOn(_ step: ClientAuthentication.Step, _ machine: inout ClientAuthentication) -> Bool {
        switch step {
        case .wait, .send: return true
        // The derivation itself takes no decision, and milliseconds.
        case .derive: return goesOn(machine.derived(nil), &machine)
        case .lookUpAgain: return goesOn(machine.lookedUp(nil), &machine)
        case .admitted, .refused: return false
        }
    }
}
