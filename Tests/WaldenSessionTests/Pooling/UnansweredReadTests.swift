import Testing
import WaldenCore
import WaldenWire

@testable import WaldenSession

/// Scenario: the primary is lost while statements of clients in no transaction are under way there. Risk: a read that
/// changes nothing fails although it could be run again; anything else is run twice.
@Suite struct UnansweredReadTests {
    /// Both are primaries, one after the other.
    private let servers = [SimulatedServer(), SimulatedServer()]

    private func script(retriesReads: Bool = true) -> PooledScript {
        let script = PooledScript(servers: servers, policy: SessionPolicy(retriesReads: retriesReads))
        script.answersAtOnce = false
        return script
    }

    private func loseServer(_ script: PooledScript) -> ServerLoss {
        script.next = 1
        script.answersAtOnce = true
        return script.loseServer()
    }

    @Test func aReadThatNothingWasHeardOfIsRunAgain() {
        let script = script()
        script.client(Parse(query: "READ f()"), Bind(), Execute(), Sync())
        #expect(script.seen().isEmpty)
        guard case .rerun = loseServer(script) else {
            Issue.record("it is not run again")
            return
        }
        #expect(script.seen() == "1 2 D(READ f()) C ZI")
    }

    @Test(arguments: [
        ErrorResponse(severity: .fatal, sqlState: .adminShutdown, message: "bye").encoded(),
        ErrorResponse(severity: .fatal, sqlState: .crashShutdown, message: "bye").encoded(),
        NoticeResponse(severity: .warning, sqlState: .crashShutdown, message: "bye").encoded(),
    ])
    func theServersFarewellIsNotTold(_ farewell: [UInt8]) {
        let script = script()
        script.client(Query("READ f()"))
        script.say(farewell)
        #expect(script.seen().isEmpty)
        _ = loseServer(script)
        #expect(script.seen() == "D(READ f()) C ZI")
    }

    /// What brings the server to the session's state is asked before the statement, and asked again at the next one.
    @Test(arguments: ["READ f()", "INSERT x"]) func aServerLostWhileItIsPreparedIsNotNoticed(_ text: String) {
        let script = script()
        script.answersAtOnce = true
        script.client(Query("SET statement_timeout = '7s'"))
        script.next = 1
        script.answersAtOnce = false
        script.client(Query(text))
        script.next = 0
        script.answersAtOnce = true
        _ = script.seen()
        #expect(script.loseServer() == .unnoticed)
        script.clientBytes([])
        #expect(script.seen() == "D(\(text)) C ZI")
    }

    /// The first statement that the cache may answer waits for the session's defaults.
    @Test func aServerLostWhileItIsAskedForDefaultsIsNotNoticed() {
        let script = PooledScript(servers: servers, isCaching: true, policy: SessionPolicy(retriesReads: true))
        script.answersAtOnce = false
        script.client(Query("SELECT 1"))
        #expect(script.machine.defaultsAsked != nil)
        script.say(ErrorResponse(severity: .fatal, sqlState: .adminShutdown, message: "bye").encoded())
        #expect(loseServer(script) == .unnoticed)
        script.clientBytes([])
        #expect(script.seen() == "D(SELECT 1) C ZI")
    }

    /// Statements that are not needed at a server any more are closed there when nothing of the client's is under way.
    @Test func aServerLostWhileItIsTidiedIsNotNoticed() {
        let servers = [SimulatedServer(statementLimit: 1), SimulatedServer()]
        let script = PooledScript(servers: servers, policy: SessionPolicy(retriesReads: true))
        script.client(Parse(name: "a", query: "READ a()"), Sync())
        script.answersAtOnce = false
        script.client(Parse(name: "b", query: "READ b()"), Sync())
        script.say([ParseComplete().encoded(), ReadyForQuery(.idle).encoded()].flatMap { $0 })
        _ = script.seen()
        // What brings it about.
        #expect(script.machine.settle() == .ask)
        #expect(loseServer(script) == .unnoticed)
        script.client(Bind(statement: "a"), Execute(), Sync())
        #expect(script.seen() == "2 D(READ a()) C ZI")
    }

    @Test func aFarewellWhileAServerIsPreparedIsNotTold() {
        let script = script()
        script.answersAtOnce = true
        script.client(Query("SET statement_timeout = '7s'"))
        script.next = 1
        script.answersAtOnce = false
        script.client(Query("INSERT x"))
        _ = script.seen()
        script.say(ErrorResponse(severity: .fatal, sqlState: .adminShutdown, message: "bye").encoded())
        script.next = 0
        script.answersAtOnce = true
        #expect(script.loseServer() == .unnoticed)
        script.clientBytes([])
        #expect(script.seen() == "D(INSERT x) C ZI")
    }

    /// Part of it would be told twice.
    @Test func aReadOfWhichSomethingWasToldIsNotRunAgain() {
        let script = script()
        script.client(Parse(query: "READ f()"), Bind(), Execute(), Sync())
        script.say(ParseComplete().encoded())
        #expect(script.seen() == "1")
        guard case .end(let error?) = loseServer(script) else {
            Issue.record("it goes on")
            return
        }
        #expect(error.sqlState == .adminShutdown)
        #expect(error.detail == "Statements were under way that had changed nothing.")
    }

    /// A statement that merely looks like a read may call what writes.
    @Test(arguments: ["INSERT x", "SELECT f()"]) func whatIsNotProvenToBeAReadIsNotRunAgain(_ text: String) {
        let script = script()
        script.client(Query(text))
        guard case .end(_?) = loseServer(script) else {
            Issue.record("it goes on")
            return
        }
    }

    @Test func aReadInATransactionIsNotRunAgain() {
        let script = script()
        script.answersAtOnce = true
        script.client(Query("BEGIN"), Query("INSERT x"))
        script.answersAtOnce = false
        script.client(Query("READ f()"))
        guard case .end(let error?) = loseServer(script) else {
            Issue.record("it goes on")
            return
        }
        #expect(error.sqlState == .adminShutdown)
    }

    @Test func itCostsNothingWhereTheNodesKeepTheirRoles() {
        let script = script(retriesReads: false)
        script.client(Query("READ f()"))
        guard case .end(_?) = loseServer(script) else {
            Issue.record("it goes on")
            return
        }
    }
}
