import WaldenAuth
import WaldenSession
import WaldenWire

/// What a server may say before a session: its answer to a request for TLS, and to Walden's own login.
enum LoginFuzzer {
    static func run(_ input: [UInt8]) {
        _ = EncryptionAnswer(input.span.bytes)
        _ = EncryptionPlan.isRefusal(input.span.bytes)
        var login = ServerLogin(
            startup: StartupMessage(user: "u", database: "d"),
            credentials: ServerCredentials(user: "u", password: "secret"),
            channelBinding: ServerLogin.ChannelBinding(certificateHash: [1, 2, 3], isRequired: input[0] & 4 != 0),
            random: [UInt8](repeating: 9, count: 18))
        _ = login.begin()
        var reads = Reads(input.dropFirst(2), cut: input[1])
        while reads.next() {
            while true {
                let (consumed, step) = login.receive(reads.unread.span.bytes)
                reads.consume(consumed)
                guard goesOn(step, &login) else { return }
                if step == .wait { break }
            }
        }
    }

    private static func goesOn(_ step: ServerLogin.Step, _ login: inout ServerLogin) -> Bool {
        switch step {
        case .wait, .send: return true
        // The derivation itself takes no decision, and milliseconds.
        case .derive: return goesOn(login.derived(nil), &login)
        case .ready, .failed: return false
        }
    }
}
