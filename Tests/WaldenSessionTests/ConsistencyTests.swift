import Testing
import WaldenCore
import WaldenWire

@testable import WaldenSession

/// Levels of consistency: what a session has seen, how it chooses its level, and when it waits.
@Suite struct ConsistencyTests {
    private func session(_ parameters: [(String, String)] = [], policy: SessionPolicy = SessionPolicy()) -> Script {
        let script = Script(parameters: parameters, policy: policy)
        script.becomeReady()
        return script
    }

    private func run(_ script: Script, _ statement: String, _ reply: [UInt8]) {
        script.client(Query(statement))
        script.serverBytes(reply)
    }

    // MARK: What was seen

    @Test func readsAtThePrimaryAreSeen() {
        let script = session()
        script.clock = 50
        run(script, "SELECT a", Reply.select())
        #expect(script.sawAt == Instant(nanoseconds: 50))
        script.clock = 60
        script.client(Query("SELECT a"))
        #expect(script.takeLog().last == "hit Z")
        #expect(script.sawAt == Instant(nanoseconds: 50))
        run(script, "SELECT now()", Reply.select())
        #expect(script.sawAt == Instant(nanoseconds: 60))
    }

    @Test func whatShowsNoDataIsNotSeen() {
        let script = session()
        script.clock = 50
        run(script, "BEGIN ISOLATION LEVEL SERIALIZABLE", Reply.command("BEGIN", .inTransaction))
        run(script, "SET x = 1", Reply.command("SET", .inTransaction))
        run(script, "COMMIT", Reply.command("COMMIT"))
        script.client(Parse(name: "s", query: "SELECT a"), Describe(.statement, name: "s"), Sync())
        script.server(ParseComplete(), ParameterDescription([]), RowDescription([]), ReadyForQuery(.idle))
        #expect(script.sawAt < Instant(nanoseconds: 50))
    }

    @Test func anErrorShowsSomethingToo() {
        let script = session()
        script.clock = 50
        run(script, "SELECT a", Reply.error())
        #expect(script.sawAt == Instant(nanoseconds: 50))
    }

    @Test func aNotificationTellsOfACommit() {
        let script = session()
        script.clock = 50
        script.server(NotificationResponse(processID: 1, channel: "c", payload: ""))
        #expect(script.takeLog() == ["< A"])
        #expect(script.sawAt == Instant(nanoseconds: 50))
    }

    @Test func aPortalExecutedAloneIsSeen() {
        let script = session()
        run(script, "BEGIN ISOLATION LEVEL SERIALIZABLE", Reply.command("BEGIN", .inTransaction))
        script.client(Parse(query: "SELECT a"), Bind(portal: "p"), Sync())
        script.server(ParseComplete(), BindComplete(), ReadyForQuery(.inTransaction))
        script.clock = 70
        script.client(Execute(portal: "p"), Sync())
        script.serverBytes(Reply.command("SELECT 1", .inTransaction))
        #expect(script.sawAt == Instant(nanoseconds: 70))
    }

    // MARK: The level

    @Test func theLevelIsTheInstancesUntilTheSessionSays() {
        let script = session(policy: SessionPolicy(consistency: .bounded))
        #expect(script.level == .bounded)
        run(script, "SET walden.consistency = strict", Reply.command("SET"))
        #expect(script.level == .strict)
        run(script, "RESET walden.consistency", Reply.command("RESET"))
        #expect(script.level == .bounded)
        run(script, "SET walden.consistency = SESSION", Reply.command("SET"))
        #expect(script.level == .session)
        run(script, "DISCARD ALL", Reply.command("DISCARD ALL"))
        #expect(script.level == .bounded)
    }

    @Test(arguments: [("options", "-c walden.consistency=strict"), ("walden.consistency", "strict")])
    func theStartupPacketMaySay(name: String, value: String) {
        let script = session([(name, value)])
        #expect(script.level == .strict)
        run(script, "SET walden.consistency = bounded", Reply.command("SET"))
        run(script, "RESET ALL", Reply.command("RESET"))
        #expect(script.level == .strict)
    }

    @Test func inATransactionItHoldsAtOnceAndEndsWithIt() {
        let script = session()
        script.keep()
        script.learnIsolation()
        script.client(Query("BEGIN"), Query("SET LOCAL walden.consistency = strict"))
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        script.serverBytes(Reply.command("SET", .inTransaction))
        #expect(script.level == .strict)
        _ = script.takeLog()
        // It is nothing that only the transaction can see.
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["hit ZT"])
        run(script, "COMMIT", Reply.command("COMMIT"))
        #expect(script.level == .session)
        run(script, "BEGIN ISOLATION LEVEL SERIALIZABLE", Reply.command("BEGIN", .inTransaction))
        run(script, "SET walden.consistency = strict", Reply.command("SET", .inTransaction))
        run(script, "ROLLBACK", Reply.command("ROLLBACK"))
        #expect(script.level == .session)
    }

    @Test func ownSettingsDoNotSplitTheKey() {
        let script = session()
        script.keep()
        run(script, "SET walden.consistency = bounded", Reply.command("SET"))
        run(script, "SET walden.cache = on", Reply.command("SET"))
        _ = script.takeLog()
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["hit Z"])
    }

    @Test func theCacheMayBeSwitchedOff() {
        let script = session()
        script.keep()
        run(script, "SET walden.cache = off", Reply.command("SET"))
        _ = script.takeLog()
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["bypass switched_off", "> Q"])
        script.serverBytes(Reply.select())
        run(script, "SET walden.cache = true", Reply.command("SET"))
        _ = script.takeLog()
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["hit Z"])
    }

    /// PostgreSQL accepts any value of a setting that it does not know.
    @Test func anUnknownValueIsTheStrictestAndSaidOnce() {
        let script = session()
        run(script, "SET walden.consistency = eventual", Reply.command("SET"))
        #expect(script.takeLog() == ["bypass not_a_select", "> Q", "< C", "notice N", "< Z"])
        #expect(script.level == .strict)
        run(script, "SET x = 1", Reply.command("SET"))
        #expect(script.takeLog() == ["bypass not_a_select", "> Q", "< C Z"])
        run(script, "SET walden.cache = perhaps", Reply.command("SET"))
        #expect(script.takeLog().contains("notice N"))
        script.client(Query("SELECT a"))
        #expect(script.takeLog().first == "bypass switched_off")
    }

    // MARK: Waiting

    @Test func anEntryIsWorthTheWaitWhenItsQueryTakesLonger() {
        var tracker = ConsistencyTracker()
        func waits(_ level: ConsistencyLevel, fillTook: Duration) -> Bool {
            tracker.isWorthWaiting(level: level, fillTook: fillTook, typicalWait: .milliseconds(1))
        }
        for level in ConsistencyLevel.allCases { #expect(waits(level, fillTook: .milliseconds(3))) }
        for _ in 0..<100 { #expect(!waits(.strict, fillTook: .microseconds(300))) }
    }

    /// Reads past the cache put the session's next hit off: it waits once they have cost as much as the wait.
    @Test func aSessionThatNeverPausesComesBackToTheCache() {
        var tracker = ConsistencyTracker()
        func waits() -> Bool {
            tracker.isWorthWaiting(level: .session, fillTook: .microseconds(300), typicalWait: .milliseconds(1))
        }
        #expect((0..<4).map { _ in waits() } == [false, false, false, true])
        #expect(!waits())
        tracker.hit()
        #expect((0..<4).map { _ in waits() } == [false, false, false, true])
    }
}
