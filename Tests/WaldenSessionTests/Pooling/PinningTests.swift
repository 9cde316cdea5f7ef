import Testing
import WaldenCore
import WaldenWire

@testable import WaldenSession

/// What binds a session to its server, and when it lets go.
@Suite struct PinningTests {
    private let servers = [SimulatedServer(), SimulatedServer()]

    private func session(_ mode: Pooling.Mode = .transaction, _ census: Pooling.Census = .suspect) -> PooledScript {
        PooledScript(servers: servers, mode: mode, census: census)
    }

    /// Case 50.
    @Test func listeningBindsUntilItEnds() {
        let script = session()
        script.client(Query("LISTEN c"))
        #expect(script.pins == [.listen])
        script.next = 1
        script.client(Query("SELECT 1"))
        script.say(NotificationResponse(processID: 1, channel: "c", payload: "").encoded())
        #expect(script.seen() == "C ZI D(SELECT 1) C ZI A")
        script.client(Query("UNLISTEN *"))
        #expect(script.pins.isEmpty)
        #expect(script.takeEvents() == ["acquire 0", "release 0"])
    }

    /// Case 51.
    @Test func locksBindUntilTheyAreGivenUp() {
        let script = session()
        script.client(Query("SELECT advisory_lock"))
        #expect(script.pins == [.advisoryLock])
        #expect(script.abandonment == .close)
        // What only assigns is not asked for locks, and lets none go.
        script.client(Query("SET work_mem = 3"))
        #expect(script.pins == [.advisoryLock])
        script.client(Query("SELECT advisory_unlock"))
        #expect(script.pins.isEmpty)
        #expect(script.takeEvents() == ["acquire 0", "release 0"])
    }

    @Test func plainStatementsCostNoCensus() {
        let script = session()
        script.client(Query("SELECT 1"), Query("INSERT x"), Query("BEGIN"), Query("INSERT y"), Query("COMMIT"))
        let queries = servers[0].log.filter { $0.hasPrefix("Q") || $0.contains("census") }
        #expect(queries == ["Q SELECT 1", "Q INSERT x", "Q BEGIN", "Q INSERT y", "Q COMMIT"])
        let careful = session(.transaction, .always)
        careful.client(Query("SELECT 1"))
        careful.client(Query("INSERT x"))
        let asked: [String] = ["Q INSERT x", "P walden census", "B walden census", "E", "S"]
        #expect(Array(servers[0].log.suffix(5)) == asked)
    }

    @Test func sessionModeKeepsTheServer() {
        let script = session(.session)
        script.client(Query("SELECT 1"))
        #expect(script.takeEvents() == ["acquire 0"])
        #expect(script.mayRelease)
    }

    @Test func theServerStaysForTheWholeTransaction() {
        let script = session()
        script.client(Query("BEGIN"))
        #expect(!script.mayRelease)
        #expect(script.abandonment == .rollback)
        script.next = 1
        script.client(Query("INSERT x"), Query("BAD"), Query("SELECT 1"))
        #expect(script.seen().hasSuffix("E(42601 syntax error) ZE E(25P02 current transaction is aborted) ZE"))
        script.client(Query("ROLLBACK"))
        #expect(script.takeEvents() == ["acquire 0", "release 0"])
    }

    /// Case 22.
    @Test func theServerStaysUntilTheLastSync() {
        let script = session()
        script.answersAtOnce = false
        script.client(
            Parse(query: "SELECT 1"), Bind(), Execute(), Sync(), Parse(query: "SELECT 2"), Bind(), Execute(), Sync())
        #expect(!script.mayRelease)
        #expect(script.abandonment == .close)
        script.answersAtOnce = true
        script.client(Sync())
        #expect(script.seen() == "1 2 D(SELECT 1) C ZI 1 2 D(SELECT 2) C ZI ZI")
        #expect(script.takeEvents() == ["acquire 0", "release 0"])
    }

    /// Case 31.
    @Test func aUnitWithoutItsSyncIsNotLeftToOthers() {
        let script = session()
        script.client(Parse(name: "s", query: "SELECT 1"), Flush())
        #expect(script.seen() == "1")
        #expect(script.abandonment == .close)
    }

    /// Case 40, and an idle Sync.
    @Test func whatNeedsNoServerTakesNone() {
        let script = session()
        script.client(CopyDone(), CopyFail(reason: "no"), Sync(), Flush())
        script.clientBytes(CopyData([1, 2, 3]).encoded())
        #expect(script.seen() == "ZI")
        #expect(script.takeEvents().isEmpty)
    }

    // MARK: Servers that go away

    @Test func aServerLostWhileIdleIsNotNoticed() {
        let script = session()
        script.client(Query("SELECT 1"))
        #expect(script.current == nil)
        let keeping = session(.session)
        keeping.client(Query("SELECT 1"))
        #expect(keeping.loseServer() == .unnoticed)
        keeping.client(Query("SELECT 2"))
        #expect(keeping.seen() == "D(SELECT 1) C ZI D(SELECT 2) C ZI")
    }

    @Test func aServerLostInATransactionEndsTheSession() throws {
        let script = session()
        script.client(Query("BEGIN"))
        guard case .end(let error?) = script.loseServer() else {
            Issue.record("the session goes on")
            return
        }
        #expect(error.sqlState == .adminShutdown)
        #expect(error.detail == "A transaction was open; nothing of it is left.")
    }

    /// Case 62.
    @Test func aCommitWithoutAnAnswerHasAnUnknownOutcome() {
        let script = session()
        script.client(Query("BEGIN"), Query("INSERT x"))
        script.answersAtOnce = false
        script.client(Query("COMMIT"))
        guard case .end(let error?) = script.loseServer() else {
            Issue.record("the session goes on")
            return
        }
        #expect(error.sqlState == .transactionResolutionUnknown)
    }

    /// Wherever in a text it stands, and whatever follows it.
    @Test(arguments: [
        ("INSERT x; COMMIT", SQLState.transactionResolutionUnknown), ("END", .transactionResolutionUnknown),
        ("INSERT x", .adminShutdown), ("ROLLBACK", .adminShutdown),
    ])
    func aTransactionIsSaidToBeGoneOnlyIfNothingCommitted(_ text: String, _ state: SQLState) {
        let script = session()
        script.client(Query("BEGIN"), Query("INSERT x"))
        script.answersAtOnce = false
        script.client(Query(text))
        guard case .end(let error?) = script.loseServer() else {
            Issue.record("the session goes on")
            return
        }
        #expect(error.sqlState == state)
    }

    /// Case 54.
    @Test func theServersLastWordIsTheOnlyOne() {
        let script = session()
        script.answersAtOnce = false
        script.client(Query("INSERT x"))
        script.say(ErrorResponse(severity: .fatal, sqlState: .adminShutdown, message: "bye").encoded())
        #expect(script.seen() == "E(57P01 bye)")
        #expect(script.loseServer() == .end(nil))
    }
}
