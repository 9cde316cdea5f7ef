import Testing
import WaldenCore
import WaldenWire

@testable import WaldenSession

/// What of a session may be answered with what was kept of a primary that is being replaced, and what goes before it.
@Suite struct OutageTests {
    private func session() -> Script {
        let script = Script()
        script.becomeReady()
        script.learnIsolation()
        script.keep()
        script.isOutage = true
        return script
    }

    @Test func outsideOfTransactionsReadsAreAnswered() {
        let script = session()
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["hit Z"])
    }

    @Test func inATransactionNoneIs() {
        let script = session()
        script.client(Query("BEGIN"), Query("SELECT a"))
        #expect(script.takeLog() == ["answer C ZT", "> inject Q"])
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        #expect(script.takeLog() == ["swallow C", "swallow Z", "fill 2", "> Q"])
        script.serverBytes(Reply.select(.inTransaction))
        script.client(Query("SELECT a"))
        #expect(script.takeLog().last == "> Q")
    }

    /// It missed before the primary was known to be lost, and waits; what the lookup rested on may change meanwhile.
    @Test func onlyWhatTheLookupRestedOnIsAnsweredLater() {
        let script = session()
        script.isOutage = false
        script.offer(Query("SELECT a"))
        #expect(script.mayHitInOutage)
        script.catalogGeneration += 1
        #expect(!script.mayHitInOutage)
        script.catalogGeneration -= 1
        #expect(script.mayHitInOutage)
        script.server(ParameterStatus(name: "TimeZone", value: "UTC"))
        #expect(!script.mayHitInOutage)
    }

    @Test func whatWasSentIsTheServers() {
        let script = session()
        script.client(Query("SELECT b"))
        #expect(script.takeLog() == ["fill 2", "> Q"])
        #expect(!script.mayHitInOutage)
    }

    private static let ages: [(Duration, String)] = [
        (.zero, "0.0"), (.nanoseconds(1), "0.1"), (.milliseconds(100), "0.1"), (.milliseconds(3_150), "3.2"),
        (.seconds(3_600), "3600.0"), (.milliseconds(59_901), "60.0"),
    ]

    @Test(arguments: ages) func theNoticeTellsTheAgeRoundedUp(_ age: Duration, _ spelled: String) {
        let notice = NoticeResponse(servedInOutage: age)
        #expect(notice.severity == .notice)
        #expect(notice.sqlState?.code == "01W01")
        #expect(
            notice.message
                == "answered from Walden's cache, up to \(spelled) s old: the primary is being replaced")
    }
}
