import Testing
import WaldenCore
import WaldenWire

@testable import WaldenSession

/// Which units are looked up, captured and answered from the cache.
@Suite struct CachingTests {
    @Test func simpleQueryMissesThenHits() {
        let script = Script()
        script.becomeReady()
        script.client(Query("SELECT a"))
        script.serverBytes(Reply.select())
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["fill 1", "> Q", "< T D C Z", "kept 1: T D C", "hit Z"])
    }

    @Test func executionsHitByParameters() {
        let script = Script()
        script.becomeReady()
        script.client(Parse(name: "s", query: "SELECT a"), Sync())
        script.server(ParseComplete(), ReadyForQuery(.idle))
        let first = [Bind(statement: "s", values: [[1]])]
        script.client(first[0], Execute(), Sync())
        script.serverBytes(Reply.execution(parse: false, describe: false))
        script.client(first[0], Execute(), Sync())
        script.client(Bind(statement: "s", values: [[2]]), Execute(), Sync())
        #expect(
            script.takeLog() == [
                "bypass pipeline", "> P", "> S", "< 1 Z", "fill 1", "> B E S", "< 2 D C Z", "kept 1: D C", "hit 2 Z",
                "fill 2", "> B E S",
            ])
    }

    @Test func describedAndUndescribedResultsAreApart() {
        let script = Script()
        script.becomeReady()
        for describes in [false, true] {
            script.client(Parse(query: "SELECT a"), Bind())
            if describes { script.client(Describe(.portal)) }
            script.client(Execute(), Sync())
            script.serverBytes(Reply.execution(parse: true, describe: describes))
        }
        #expect(
            script.takeLog() == [
                "fill 1", "> P B E S", "< 1 2 D C Z", "kept 1: D C", "fill 2", "> P B D E S", "< 1 2 T D C Z",
                "kept 2: T D C",
            ])
        script.client(Parse(query: "SELECT a"), Bind(), Describe(.portal), Execute(), Sync())
        #expect(script.takeLog() == ["hit 1 2 Z"])
    }

    @Test func binaryResultsAreApart() {
        let script = Script()
        script.becomeReady()
        for formats: [FormatCode] in [[], [.binary], [.binary]] {
            script.client(Parse(query: "SELECT a"), Bind(resultFormats: formats), Execute(), Sync())
            script.serverBytes(Reply.execution(parse: true, describe: false))
        }
        #expect(script.log.filter { $0.hasPrefix("fill") || $0.hasPrefix("hit") } == ["fill 1", "fill 2", "hit 1 2 Z"])
    }

    @Test func errorsAndNoticesAreNotKept() {
        let script = Script()
        script.becomeReady()
        script.client(Query("SELECT a"))
        script.serverBytes(Reply.row + Reply.error())
        script.client(Query("SELECT b"))
        script.serverBytes(
            NoticeResponse(severity: .notice, sqlState: .successfulCompletion, message: "hm").encoded()
                + Reply.select())
        #expect(
            script.takeLog() == [
                "fill 1", "> Q", "broken 1", "< T D E Z", "fill 2", "> Q", "broken 2", "< N T D C Z",
            ])
    }

    @Test func severalResultsAreNotOneEntry() {
        let script = Script()
        script.becomeReady()
        script.client(Parse(query: "SELECT a"), Bind(), Execute(), Bind(), Execute(), Sync())
        #expect(script.takeLog().first == "bypass pipeline")
        #expect(script.unitCount == 1)
    }

    @Test(arguments: [Execute(maxRows: 5), Execute(portal: "p")])
    func partialAndNamedPortalsPass(execute: Execute) {
        let script = Script()
        script.becomeReady()
        script.client(Parse(query: "SELECT a"), Bind(portal: execute.portal), execute, Sync())
        #expect(script.takeLog().first == "bypass pipeline")
    }

    @Test func pipelinedReadsFillAndHitsKeepTheirPlace() {
        let script = Script()
        script.becomeReady()
        script.client(Query("SELECT a"))
        script.serverBytes(Reply.select())
        _ = script.takeLog()
        script.client(Query("SELECT b"), Query("SELECT a"), Query("SELECT c"))
        #expect(script.takeLog() == ["fill 2", "> Q", "drain"])
        script.serverBytes(Reply.select())
        #expect(script.takeLog() == ["< T D C Z", "kept 2: T D C", "hit Z", "fill 3", "> Q"])
    }

    @Test func nothingHitsBehindAWriteUnderWay() {
        let script = Script()
        script.becomeReady()
        script.client(Query("SELECT a"))
        script.serverBytes(Reply.select())
        _ = script.takeLog()
        script.client(Query("UPDATE t"), Query("SELECT a"))
        #expect(script.takeLog() == ["bypass not_a_select", "> Q", "bypass pipeline", "> Q"])
    }

    @Test func aWriteIsRemembered() {
        let script = Script()
        script.becomeReady()
        script.clock = 50
        script.client(Query("UPDATE t"))
        #expect(script.wroteAt == .distantPast)
        script.serverBytes(Reply.command("UPDATE 1"))
        #expect(script.wroteAt == Instant(nanoseconds: 50))
        script.client(Query("BEGIN"))
        script.serverBytes(Reply.isolation("read committed") + Reply.command("BEGIN", .inTransaction))
        script.client(Query("UPDATE t"))
        script.serverBytes(Reply.command("UPDATE 1", .inTransaction))
        script.clock = 90
        script.client(Query("COMMIT"))
        script.serverBytes(Reply.command("COMMIT"))
        #expect(script.wroteAt == Instant(nanoseconds: 90))
    }

    @Test func whereNothingIsCachedNothingIsParsed() {
        let script = Script(isCaching: false)
        script.becomeReady()
        script.client(Query("SELECT a"), Parse(query: "SELECT a"), Bind(), Execute(), Sync())
        #expect(script.takeLog() == ["> Q P B E S"])
        script.serverBytes(Reply.select() + Reply.execution(parse: true, describe: false))
        #expect(script.takeLog() == ["< T D C Z", "< 1 2 D C Z"])
        #expect(script.isQuiescent)
    }

    @Test func otherEncodingsBypass() {
        let script = Script()
        script.becomeReady()
        script.server(ParameterStatus(name: "client_encoding", value: "LATIN1"))
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["< S", "bypass client_encoding", "> Q"])
    }

    @Test func anyBytesByByteGiveTheSameSteps() {
        let clientBytes =
            Query("SELECT a").encoded() + Parse(name: "s", query: "SELECT b").encoded() + Bind(statement: "s").encoded()
            + Describe(.portal).encoded() + Execute().encoded() + Sync().encoded()
        let serverBytes = Reply.select() + Reply.execution(parse: true, describe: true)
        let whole = Script()
        whole.becomeReady()
        whole.clientBytes(clientBytes)
        whole.serverBytes(serverBytes)
        let split = Script()
        split.becomeReady()
        for byte in clientBytes { split.clientBytes([byte]) }
        for byte in serverBytes { split.serverBytes([byte]) }
        let kept = { (log: [String]) in log.filter { $0.hasPrefix("kept") || $0.hasPrefix("fill") || $0 == "> Q" } }
        #expect(kept(whole.log) == kept(split.log))
        #expect(kept(whole.log).contains("kept 2: T D C"))
        #expect(split.isQuiescent)
    }
}
