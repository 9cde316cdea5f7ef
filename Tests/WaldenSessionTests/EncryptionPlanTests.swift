import Testing
import WaldenCore
import WaldenSession

@Suite struct EncryptionPlanTests {
    /// What comes of a server that has TLS or not, whose certificate is good or not, and which admits sessions of one
    /// kind only, as a trace of attempts.
    private struct Server {
        var hasTLS = true
        var isTrusted = true
        var admitsClear = true
        var admitsEncrypted = true

        func trace(_ plan: EncryptionPlan) -> String {
            var attempt = plan.first
            var words = ["\(attempt)"]
            while true {
                var failure: EncryptionPlan.Failure?
                switch attempt {
                case .clear: failure = admitsClear ? nil : .startup
                case .requested where !hasTLS: failure = .unavailable
                case .requested, .direct:
                    failure = !hasTLS || !isTrusted ? .handshake : admitsEncrypted ? nil : .startup
                }
                guard let failure else { return words.joined(separator: " ") + " ok" }
                switch plan.next(after: failure, of: attempt) {
                case .goOn:
                    attempt = .clear
                    words.append("here")
                case .reconnect(let other):
                    attempt = other
                    words.append("\(other)")
                case .giveUp: return words.joined(separator: " ") + " failed"
                }
            }
        }
    }

    @Test(arguments: [
        (SSLMode.disable, "clear ok", "clear ok", "clear ok", "clear failed", "clear ok"),
        (.allow, "clear ok", "clear ok", "clear ok", "clear requested ok", "clear ok"),
        (.prefer, "requested ok", "requested here ok", "requested clear ok", "requested ok", "requested clear ok"),
        (.require, "requested ok", "requested failed", "requested failed", "requested ok", "requested failed"),
        (.verifyCA, "requested ok", "requested failed", "requested failed", "requested ok", "requested failed"),
        (.verifyFull, "requested ok", "requested failed", "requested failed", "requested ok", "requested failed"),
    ])
    func followsLibpq(
        mode: SSLMode, open: String, withoutTLS: String, untrusted: String, encryptedOnly: String, clearOnly: String
    ) {
        let plan = EncryptionPlan(mode: mode, isLocal: false)
        #expect(Server().trace(plan) == open)
        #expect(Server(hasTLS: false).trace(plan) == withoutTLS)
        #expect(Server(isTrusted: false).trace(plan) == untrusted)
        #expect(Server(admitsClear: false).trace(plan) == encryptedOnly)
        #expect(Server(admitsEncrypted: false).trace(plan) == clearOnly)
    }

    @Test func allWaysMayFail() {
        let nothing = Server(admitsClear: false, admitsEncrypted: false)
        #expect(nothing.trace(EncryptionPlan(mode: .allow, isLocal: false)) == "clear requested failed")
        #expect(nothing.trace(EncryptionPlan(mode: .prefer, isLocal: false)) == "requested clear failed")
        let bare = Server(hasTLS: false, admitsClear: false)
        #expect(bare.trace(EncryptionPlan(mode: .allow, isLocal: false)) == "clear requested failed")
        #expect(bare.trace(EncryptionPlan(mode: .prefer, isLocal: false)) == "requested here failed")
    }

    @Test func directHandshakeNeedsAModeWithoutAWayBack() {
        #expect(EncryptionPlan(mode: .require, isLocal: false, isDirect: true).first == .direct)
        #expect(EncryptionPlan(mode: .prefer, isLocal: false, isDirect: true).first == .requested)
        let plan = EncryptionPlan(mode: .verifyFull, isLocal: false, isDirect: true)
        #expect(Server(hasTLS: false).trace(plan) == "direct failed")
    }

    @Test(arguments: SSLMode.allCases)
    func localSocketsAreNeverEncrypted(mode: SSLMode) {
        let plan = EncryptionPlan(mode: mode, isLocal: true)
        #expect(plan.first == .clear)
        #expect(plan.next(after: .startup, of: .clear) == .giveUp)
    }
}
