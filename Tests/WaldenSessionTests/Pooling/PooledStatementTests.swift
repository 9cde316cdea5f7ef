import Testing
import WaldenCore
import WaldenWire

@testable import WaldenSession

/// Statements that were prepared by protocol, on servers that change. Numbers are those of the conformance cases.
@Suite struct PooledStatementTests {
    private func pool(_ count: Int = 2, names: StatementNames = StatementNames()) -> PooledScript {
        PooledScript(servers: (0..<count).map { _ in SimulatedServer() }, names: names)
    }

    private func prepare(_ script: PooledScript, _ name: String, _ text: String) {
        script.client(Parse(name: name, query: text), Describe(.statement, name: name), Sync())
    }

    private func execute(_ script: PooledScript, _ name: String) {
        script.client(Bind(statement: name), Execute(), Sync())
    }

    /// Case 28.
    @Test func aStatementIsParsedAgainWhereItIsMissing() {
        let script = pool()
        prepare(script, "s", "SELECT 1")
        #expect(script.seen() == "1 t n ZI")
        script.next = 1
        execute(script, "s")
        execute(script, "s")
        #expect(script.seen() == "2 D(SELECT 1) C ZI 2 D(SELECT 1) C ZI")
        #expect(
            script.servers[1].log == [
                "P walden_3", "D walden_3", "H", "B walden_3", "E", "S", "B walden_3", "E", "S",
            ])
        #expect(script.takeEvents() == ["acquire 0", "release 0", "acquire 1", "release 1", "acquire 1", "release 1"])
    }

    /// PostgreSQL read them once; a server that parses the statement again reads them by the settings of that moment.
    @Test func quotedConstantsAreNotReadByOtherSettings() {
        let texts = [
            ("SELECT '01/02/2020'", false), ("SELECT '{NULL}'", false), ("SELECT 'a'", true), ("SELECT 1", true),
        ]
        for (text, isKept) in texts {
            let script = pool()
            prepare(script, "s", text)
            script.client(Query("SET TimeZone = 1"))
            _ = script.seen()
            // Where it was parsed it is what it was.
            execute(script, "s")
            #expect(script.seen() == "2 D(\(text)) C ZI")
            script.next = 1
            execute(script, "s")
            #expect(script.seen().contains("0A000") == !isKept, "\(text)")
            script.client(Query("SET TimeZone = UTC"))
            _ = script.seen()
            execute(script, "s")
            #expect(script.seen() == "2 D(\(text)) C ZI")
        }
    }

    /// Case 27.
    @Test func sessionsWithOneNameForTwoTextsAreNeverCrossed() {
        let names = StatementNames()
        let servers = [SimulatedServer()]
        let first = PooledScript(servers: servers, names: names)
        let second = PooledScript(servers: servers, names: names)
        prepare(first, "s", "SELECT 1")
        prepare(second, "s", "SELECT 2")
        execute(first, "s")
        execute(second, "s")
        #expect(first.seen() == "1 t n ZI 2 D(SELECT 1) C ZI")
        #expect(second.seen() == "1 t n ZI 2 D(SELECT 2) C ZI")
    }

    @Test func equalStatementsAreShared() {
        let names = StatementNames()
        let servers = [SimulatedServer()]
        for _ in 0..<2 {
            let script = PooledScript(servers: servers, names: names)
            script.client(
                Parse(name: "a", query: "SELECT 1"), Bind(statement: "a"), Describe(.portal), Execute(), Sync())
            #expect(script.seen() == "1 2 n D(SELECT 1) C ZI")
        }
        // Each Parse is the server's to answer; the older statement goes with the next one.
        #expect(servers[0].log.filter { $0.hasPrefix("P") } == ["P walden_1", "P walden_3"])
        let third = PooledScript(servers: servers, names: names)
        prepare(third, "b", "SELECT 2")
        #expect(servers[0].statements.keys.sorted() == ["walden_3", "walden_4"])
    }

    /// In a pipeline the server itself keeps the order.
    @Test func aStatementThatTheServerHasIsParsedAgainInItsTurn() {
        let names = StatementNames()
        let servers = [SimulatedServer()]
        prepare(PooledScript(servers: servers, names: names), "a", "SELECT 1")
        servers[0].log.removeAll()
        let script = PooledScript(servers: servers, names: names)
        script.client(
            Bind(), Parse(name: "b", query: "SELECT 1"), Sync(), Parse(name: "b", query: "SELECT 1"),
            Bind(statement: "b"), Execute(), Sync())
        #expect(
            script.seen()
                == "E(26000 unnamed prepared statement does not exist) ZI 1 2 D(SELECT 1) C ZI")
    }

    @Test func aNameIsTakenFromItsParseOn() {
        let script = pool()
        script.client(
            Parse(name: "a", query: "SELECT 1"), Sync(), Parse(name: "a", query: "SELECT 1"), Bind(statement: "a"),
            Execute(), Sync(), Bind(statement: "a"), Execute(), Sync())
        #expect(script.seen() == "1 ZI E(42P05 prepared statement \"a\" already exists) ZI 2 D(SELECT 1) C ZI")
    }

    /// A FunctionCall or Query in place of a Sync is skipped behind an error.
    @Test func answersAreUncertainBehindACallThatMayHaveBeenSkipped() {
        let script = pool()
        script.client(Bind(statement: "none"), Query("SELECT 1"), Sync())
        #expect(script.answersAreUncertain)
        #expect(script.abandonment == .close)
        let copying = pool()
        copying.answersAtOnce = false
        copying.client(Query("COPY t FROM STDIN"))
        copying.say([UInt8(ascii: "G"), 0, 0, 0, 7, 0, 0, 0])
        #expect(copying.answersAreUncertain)
        let other = pool()
        other.client(Parse(name: "", query: "SELECT 1"), Query("SELECT 1"))
        #expect(!other.answersAreUncertain)
        #expect(other.current == nil)
    }

    @Test func textsThatMeanTheMomentAreNotShared() {
        let names = StatementNames()
        let servers = [SimulatedServer()]
        for _ in 0..<2 {
            let script = PooledScript(servers: servers, names: names)
            prepare(script, "a", "SELECT 'today'::date")
            execute(script, "a")
        }
        #expect(servers[0].statements.keys.sorted() == ["walden_1", "walden_3"])
    }

    /// Case 29.
    @Test func manyStatementsInOneBatchAreTrimmedAfterwards() {
        let script = PooledScript(servers: [SimulatedServer(statementLimit: 8)])
        var batch: [UInt8] = []
        for number in 0..<20 { Parse(name: "s\(number)", query: "SELECT \(number)").encode(into: &batch) }
        for number in 0..<20 {
            Bind(statement: "s\(number)").encode(into: &batch)
            Execute().encode(into: &batch)
        }
        script.clientBytes(batch + Sync().encoded())
        #expect(!script.seen().contains("E("))
        #expect(script.servers[0].statements.count == 7)
        #expect(script.takeEvents() == ["acquire 0", "release 0"])
        for number in 0..<20 { execute(script, "s\(number)") }
        #expect(!script.seen().contains("E("))
        #expect(script.servers[0].statements.count <= 8)
    }

    /// Case 30.
    @Test func aParseThatFailsLeavesNothing() {
        let script = pool()
        script.client(Parse(name: "s", query: "BAD"), Sync())
        script.next = 1
        script.client(Parse(name: "s", query: "SELECT 1"), Bind(statement: "s"), Execute(), Sync())
        #expect(script.seen() == "E(42601 syntax error) ZI 1 2 D(SELECT 1) C ZI")
    }

    /// Case 32.
    @Test func aNameThatIsTakenIsRefusedByTheServer() {
        let script = pool()
        prepare(script, "s", "SELECT 1")
        script.next = 1
        script.client(Parse(name: "s", query: "SELECT 2"), Sync())
        script.client(Parse(name: "s", query: "SELECT 2"), Bind(statement: "s"), Execute(), Sync())
        let refusal = "E(42P05 prepared statement \"s\" already exists) ZI"
        #expect(script.seen() == "1 t n ZI \(refusal) \(refusal)")
        execute(script, "s")
        #expect(script.seen() == "2 D(SELECT 1) C ZI")
        #expect(script.servers[1].statements.keys.sorted() == ["walden_4"])
        #expect(script.current == nil)
    }

    /// Case 33.
    @Test func closingIsAnsweredWhateverTheNameIs() {
        let script = pool()
        prepare(script, "s", "SELECT 1")
        script.client(Close(.statement, name: "t"), Close(.statement, name: "s"), Sync())
        execute(script, "s")
        #expect(script.seen() == "1 t n ZI 3 3 ZI E(26000 prepared statement \"s\" does not exist) ZI")
        prepare(script, "s", "SELECT 2")
        execute(script, "s")
        #expect(script.seen() == "1 t n ZI 2 D(SELECT 2) C ZI")
        #expect(script.servers[0].statements["walden_1"] == "SELECT 1")
    }

    /// Case 34.
    @Test(arguments: ["DEALLOCATE ALL", "DISCARD ALL"]) func allAreGoneAtOnce(_ text: String) {
        let script = pool()
        prepare(script, "s", "SELECT 1")
        script.client(Query(text))
        script.next = 1
        execute(script, "s")
        prepare(script, "s", "SELECT 2")
        execute(script, "s")
        #expect(
            script.seen()
                == "1 t n ZI C ZI E(26000 prepared statement \"s\" does not exist) ZI 1 t n ZI 2 D(SELECT 2) C ZI"
        )
        #expect(script.pins.isEmpty)
    }

    @Test func oneIsDeallocatedByItsOwnName() {
        let script = pool()
        prepare(script, "s", "SELECT 1")
        prepare(script, "t", "SELECT 2")
        script.next = 1
        script.client(Query("DEALLOCATE s"))
        script.next = 0
        execute(script, "s")
        execute(script, "t")
        #expect(
            script.seen()
                == "1 t n ZI 1 t n ZI C ZI E(26000 prepared statement \"s\" does not exist) ZI 2 D(SELECT 2) C ZI")
        #expect(script.servers[1].statements.keys.allSatisfy { $0.hasPrefix("walden ") })
        #expect(script.pins.isEmpty)
    }

    @Test func executeFindsStatementsOfTheProtocol() {
        let script = pool()
        prepare(script, "s", "SELECT 1")
        script.next = 1
        script.client(Query("EXECUTE s"))
        #expect(script.seen() == "1 t n ZI D(SELECT 1) C ZI")
        #expect(script.current == nil)
        #expect(script.servers[1].statements.keys.filter { !$0.hasPrefix("walden ") }.isEmpty)
    }

    @Test func prepareBindsTheSessionUntilItIsDeallocated() {
        let script = pool()
        script.client(Query("PREPARE p AS SELECT 7"))
        #expect(script.pins == [.preparedStatement])
        execute(script, "p")
        script.client(Query("EXECUTE p"))
        #expect(script.seen() == "C ZI 2 D(SELECT 7) C ZI D(SELECT 7) C ZI")
        script.client(Query("DEALLOCATE p"))
        #expect(script.pins.isEmpty)
        #expect(script.current == nil)
    }

    @Test func theUnnamedStatementIsTheClientsOwn() {
        let servers = [SimulatedServer(), SimulatedServer()]
        let first = PooledScript(servers: servers)
        let second = PooledScript(servers: servers)
        first.client(Parse(query: "SELECT 1"), Sync())
        second.client(Parse(query: "SELECT 2"), Sync())
        first.client(Bind(), Execute(), Sync())
        #expect(first.seen() == "1 ZI 2 D(SELECT 1) C ZI")
        second.next = 1
        second.client(Bind(), Execute(), Sync())
        #expect(second.seen() == "1 ZI 2 D(SELECT 2) C ZI")
        let third = PooledScript(servers: servers)
        third.client(Bind(), Execute(), Sync())
        #expect(third.seen() == "E(26000 unnamed prepared statement does not exist) ZI")
    }

    @Test func namesLikeWaldensAreTheClientsOwn() {
        let servers = [SimulatedServer()]
        prepare(PooledScript(servers: servers), "a", "SELECT 1")
        let script = PooledScript(servers: servers)
        execute(script, "walden_1")
        #expect(script.seen() == "E(26000 prepared statement \"walden_1\" does not exist) ZI")
    }

    /// Something has dropped Walden's statements behind its back.
    @Test func aStatementThatTheServerHasLostIsMissedOnce() {
        let script = pool(1)
        prepare(script, "s", "SELECT 1")
        _ = script.servers[0].take(Query("DEALLOCATE ALL").encoded())
        execute(script, "s")
        execute(script, "s")
        #expect(
            script.seen() == "1 t n ZI E(26000 prepared statement \"s\" does not exist) ZI 2 D(SELECT 1) C ZI")
    }

    @Test func aBindTooLongToHoldIsRenamedToo() {
        let script = pool()
        prepare(script, "statement", "SELECT 1")
        script.next = 1
        let bind = Bind(statement: "statement", values: [[UInt8](repeating: 7, count: 3 << 20)]).encoded()
        script.clientBytes(Array(bind.prefix(100_000)))
        script.clientBytes(Array(bind.dropFirst(100_000)))
        script.client(Execute(), Sync())
        #expect(script.seen() == "1 t n ZI 2 D(SELECT 1) C ZI")
        #expect(script.servers[1].log == ["P walden_3", "D walden_3", "H", "B walden_3", "E", "S"])
    }

    @Test func aParseTooLongToHoldBindsTheSession() {
        let script = pool()
        let text = "SELECT 1" + String(repeating: " ", count: 2 << 20)
        script.client(Parse(name: "s", query: text), Sync())
        script.client(Bind(statement: "s"), Execute(), Sync())
        #expect(script.seen() == "1 ZI 2 D(\(text)) C ZI")
        #expect(script.pins == [.untraceable])
        script.client(Query("DISCARD ALL"))
        #expect(script.pins.isEmpty)
    }
}
