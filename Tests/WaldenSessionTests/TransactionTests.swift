import Testing
import WaldenCore
import WaldenWire

@testable import WaldenSession

/// Transactions as texts: BEGIN is deferred, reads in them hit and fill, and what only the transaction can see is never
/// mixed with what the cache holds.
@Suite struct TransactionTests {
    /// A ready session with `SELECT a` in the cache, whose default level is known.
    private func session(_ level: String = "read committed") -> Script {
        let script = Script()
        script.becomeReady()
        script.keep()
        script.learnIsolation(level)
        return script
    }

    // MARK: Deferred BEGIN

    /// Conformance case 56.
    @Test func anEmptyTransactionNeedsNoServer() {
        let script = session()
        script.client(Query("BEGIN"))
        script.client(Query("COMMIT"))
        script.client(Query("START TRANSACTION READ ONLY"), Query("ROLLBACK"))
        #expect(script.takeLog() == ["answer C ZT", "answer C Z", "answer C ZT", "answer C Z"])
        script.client(Parse(query: "BEGIN"), Bind(), Describe(.portal), Execute(), Sync())
        script.client(Parse(query: "COMMIT"), Bind(), Execute(), Close(.portal), Sync())
        #expect(script.takeLog() == ["answer 1 2 n C ZT", "answer 1 2 C 3 Z"])
        #expect(script.isQuiescent)
    }

    @Test func readsThatHitNeedNoServer() {
        let script = session()
        script.client(Query("BEGIN"), Query("SELECT a"), Query("SELECT a"), Query("COMMIT"), Query("SELECT a"))
        #expect(script.takeLog() == ["answer C ZT", "hit ZT", "hit ZT", "answer C Z", "hit Z"])
    }

    @Test func theFirstMissOpensTheTransaction() {
        let script = session()
        script.client(Query("BEGIN READ ONLY"), Query("SELECT a"), Query("SELECT b"), Query("SELECT a"))
        #expect(script.takeLog() == ["answer C ZT", "hit ZT", "> inject Q"])
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        #expect(script.takeLog() == ["swallow C", "swallow Z", "fill 2", "> Q", "drain"])
        script.serverBytes(Reply.select(.inTransaction))
        #expect(script.takeLog() == ["< T D C Z", "kept 2: T D C", "hit ZT"])
        script.client(Query("COMMIT"))
        script.serverBytes(Reply.command("COMMIT"))
        #expect(script.takeLog() == ["bypass not_a_select", "> Q", "< C Z"])
        #expect(script.isQuiescent)
    }

    @Test func theFirstWriteOpensTheTransaction() {
        let script = session()
        script.client(Query("BEGIN"), Query("UPDATE t"))
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        script.serverBytes(Reply.command("UPDATE 1", .inTransaction))
        #expect(
            script.takeLog() == [
                "answer C ZT", "> inject Q", "swallow C", "swallow Z", "bypass not_a_select", "> Q", "< C Z",
            ])
    }

    /// The extended protocol's BEGIN is replayed message by message, so that the unnamed statement stays what it is.
    @Test func anExtendedBeginIsReplayedAsItCame() {
        let script = session()
        script.client(Parse(query: "BEGIN"), Bind(), Execute(), Sync())
        script.client(Parse(query: "SELECT b"), Bind(), Execute(), Sync())
        #expect(script.takeLog() == ["answer 1 2 C ZT", "> inject P B E S"])
        script.server(ParseComplete(), BindComplete())
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        script.serverBytes(Reply.execution(parse: true, describe: false, .inTransaction))
        #expect(
            script.takeLog() == [
                "swallow 1", "swallow 2", "swallow C", "swallow Z", "fill 2", "> P B E S", "< 1 2 D C Z",
                "kept 2: D C",
            ])
    }

    /// As the JDBC driver does, with BEGIN prepared by name after some runs.
    @Test func aBeginThatLeadsAUnitIsAnsweredWithoutItsSync() {
        let script = session()
        script.client(Parse(query: "SELECT a"), Bind(), Describe(.portal), Execute(), Sync())
        script.serverBytes(Reply.execution(parse: true, describe: true))
        _ = script.takeLog()
        script.client(
            Parse(name: "b", query: "BEGIN"), Bind(statement: "b"), Execute(), Parse(query: "SELECT a"), Bind(),
            Describe(.portal), Execute(), Sync())
        script.client(Parse(query: "COMMIT"), Bind(), Execute(), Sync())
        #expect(script.takeLog() == ["answer 1 2 C", "hit 1 2 ZT", "answer 1 2 C Z"])
        script.client(
            Bind(statement: "b"), Execute(), Parse(query: "UPDATE t"), Bind(), Describe(.portal), Execute(), Sync())
        #expect(script.takeLog() == ["answer 2 C", "> inject P B E S"])
        script.server(ParseComplete(), BindComplete())
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        script.serverBytes(
            ParseComplete().encoded() + BindComplete().encoded() + NoData().encoded()
                + Reply.command("UPDATE 1", .inTransaction))
        #expect(
            script.takeLog() == [
                "swallow 1", "swallow 2", "swallow C", "swallow Z", "bypass not_a_select", "> P B D E S",
                "< 1 2 n C Z",
            ])
    }

    @Test func aBeginThatLeadsAPipelineStaysBeforeIt() {
        let script = session()
        script.client(
            Parse(query: "BEGIN"), Bind(), Describe(.portal), Execute(), Parse(query: "SELECT b"), Bind(), Execute(),
            Parse(query: "SELECT c"), Bind(), Execute(), Sync())
        #expect(script.takeLog() == ["answer 1 2 n C", "> inject P B D E S"])
        script.server(ParseComplete(), BindComplete(), NoData())
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        #expect(script.takeLog().suffix(3) == ["> B", "> E", "> S"])
        #expect(script.unitCount == 1)
    }

    @Test func aNamedBeginIsPreparedWhenItIsNeeded() {
        let script = session()
        script.client(Parse(name: "b", query: "BEGIN"), Bind(statement: "b"), Execute(), Sync())
        script.client(Query("ROLLBACK"))
        script.client(Bind(statement: "b"), Execute(), Sync())
        #expect(script.takeLog() == ["answer 1 2 C ZT", "answer C Z", "answer 2 C ZT"])
        script.client(Query("UPDATE t"))
        #expect(script.takeLog() == ["> inject P B E S"])
        script.server(ParseComplete(), BindComplete())
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        script.serverBytes(Reply.command("UPDATE 1", .inTransaction))
        script.client(Query("COMMIT"))
        script.serverBytes(Reply.command("COMMIT"))
        script.client(Bind(statement: "b"), Execute(), Sync(), Query("UPDATE t"))
        #expect(script.takeLog().suffix(2) == ["answer 2 C ZT", "> inject B E S"])
    }

    @Test func whatTheServerWarnsOfIsItsOwn() {
        let script = session()
        script.client(Query("COMMIT"))
        script.serverBytes(Reply.command("COMMIT"))
        script.client(Query("BEGIN"), Query("BEGIN"))
        #expect(script.takeLog() == ["bypass not_a_select", "> Q", "< C Z", "answer C ZT", "> inject Q"])
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        #expect(script.takeLog().suffix(2) == ["bypass not_a_select", "> Q"])
    }

    @Test(arguments: [
        "SAVEPOINT s", "COMMIT AND CHAIN", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "LISTEN c",
    ])
    func everythingElseGoesBehindTheBegin(statement: String) {
        let script = session()
        script.client(Query("BEGIN"), Query(statement))
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        #expect(script.takeLog().first == "answer C ZT")
        #expect(script.unitCount == 1)
    }

    @Test func messagesOutsideOfCandidatesOpenItToo() {
        let script = session()
        script.client(Query("BEGIN"), Parse(name: "s", query: "SELECT b"), Describe(.statement, name: "s"), Sync())
        #expect(script.takeLog() == ["answer C ZT", "> inject Q"])
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        #expect(script.takeLog().suffix(4) == ["bypass pipeline", "> P", "> D", "> S"])
    }

    @Test func aCancelThatComesTooEarlyIsNotTheTransactions() {
        let script = session()
        script.client(Query("BEGIN"), Query("UPDATE t"))
        let cancelled = ErrorResponse(sqlState: .queryCanceled, message: "canceled").encoded()
        script.serverBytes(cancelled + ReadyForQuery(.idle).encoded())
        #expect(script.takeLog() == ["answer C ZT", "> inject Q", "swallow E", "swallow Z", "> inject Q"])
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        #expect(script.takeLog().last == "> Q")
    }

    @Test func aServerThatRefusesTheBeginEndsTheSession() {
        let script = session()
        script.client(Query("BEGIN"), Query("UPDATE t"))
        let refusal = ErrorResponse(sqlState: .outOfMemory, message: "no memory").encoded()
        for _ in 0..<2 { script.serverBytes(refusal + ReadyForQuery(.idle).encoded()) }
        #expect(script.takeLog().last == "give up: no memory")
    }

    /// Conformance case 54: the client hears of it whatever was under way.
    @Test func theServersLastWordIsPassedOn() {
        let script = session()
        script.client(Query("BEGIN"), Query("UPDATE t"))
        _ = script.takeLog()
        script.server(ErrorResponse(severity: .fatal, sqlState: .adminShutdown, message: "going down"))
        #expect(script.takeLog() == ["< E"])
    }

    @Test func aDeferredTransactionIsNoQuietMoment() {
        let script = session()
        script.client(Query("BEGIN"))
        #expect(!script.isQuiescent)
        script.client(Terminate())
        #expect(script.takeLog() == ["answer C ZT", "> X", "terminate"])
    }

    @Test func withoutTheSettingBeginGoesToTheServer() {
        var policy = SessionPolicy()
        policy.defersBegin = false
        let script = Script(policy: policy)
        script.becomeReady()
        script.client(Query("BEGIN"))
        #expect(script.takeLog() == ["bypass not_a_select", "> Q"])
    }

    @Test func behindUnitsUnderWayBeginKeepsItsPlace() {
        let script = session()
        script.client(Query("SELECT b"), Query("BEGIN"))
        #expect(script.takeLog() == ["fill 2", "> Q", "bypass not_a_select", "> Q"])
    }

    // MARK: The default isolation level

    @Test func theDefaultLevelIsAskedForOnce() {
        let script = Script()
        script.becomeReady()
        script.keep()
        script.client(Query("BEGIN"))
        #expect(script.takeLog() == ["bypass not_a_select", "> inject P B E C S", "> Q"])
        script.serverBytes(Reply.isolation("read committed"))
        #expect(
            script.takeLog() == ["swallow 1", "swallow 2", "swallow D", "swallow C", "swallow 3", "swallow Z"])
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["< C Z", "hit ZT"])
    }

    @Test(arguments: ["repeatable read", "serializable"])
    func underAnotherDefaultNothingIsDeferredOrHit(level: String) {
        let script = session(level)
        script.client(Query("BEGIN"))
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["bypass not_a_select", "> Q", "< C Z", "bypass transaction_isolation", "> Q"])
    }

    @Test func aLevelGivenNeedsNoDefault() {
        let script = session("serializable")
        script.client(Query("BEGIN ISOLATION LEVEL READ COMMITTED"), Query("SELECT a"))
        #expect(script.takeLog() == ["answer C ZT", "hit ZT"])
    }

    @Test(arguments: [
        ("SET default_transaction_isolation = serializable", "SET"), ("RESET default_transaction_isolation", "RESET"),
        ("RESET ALL", "RESET"), ("DISCARD ALL", "DISCARD ALL"),
    ])
    func whatMayChangeTheDefaultHasItAskedAgain(statement: String, tag: String) {
        let script = session()
        script.client(Query(statement))
        script.serverBytes(Reply.command(tag))
        _ = script.takeLog()
        script.client(Query("BEGIN"))
        #expect(script.takeLog() == ["bypass not_a_select", "> inject P B E C S", "> Q"])
    }

    /// Nobody asks in the midst of a pipeline, and what was known before does not count any more.
    @Test func aDefaultChangedInAPipelineIsNotKnown() {
        let script = session()
        script.client(Query("SET default_transaction_isolation = serializable"), Query("BEGIN"))
        script.serverBytes(Reply.command("SET") + Reply.command("BEGIN", .inTransaction))
        _ = script.takeLog()
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["bypass transaction_isolation", "> Q"])
    }

    // MARK: Reads in open transactions

    /// What `SELECT a` adds to the log after these steps within a transaction that the server knows.
    private func answerWithin(_ steps: [(statement: String, reply: [UInt8])]) -> [String] {
        let script = session()
        script.client(Query("BEGIN"))
        script.client(Query("SAVEPOINT first"))
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        script.serverBytes(Reply.command("SAVEPOINT", .inTransaction))
        for step in steps {
            script.client(Query(step.statement))
            script.serverBytes(step.reply)
        }
        _ = script.takeLog()
        script.client(Query("SELECT a"))
        return script.takeLog()
    }

    private static let wrote = ["bypass transaction_wrote", "> Q"]

    /// Conformance cases 58 and 68.
    @Test(arguments: [
        ("UPDATE t", "UPDATE 0"), ("SELECT b FOR UPDATE", "SELECT 1"), ("LOCK t", "LOCK TABLE"),
        ("DECLARE c CURSOR FOR SELECT b", "DECLARE CURSOR"), ("SET x = 1", "SET"), ("SET LOCAL x = 1", "SET"),
        ("SET TRANSACTION READ ONLY", "SET"), ("EXECUTE s", "SELECT 1"),
    ])
    func afterWhatOnlyTheTransactionSeesNothingHits(statement: String, tag: String) {
        #expect(answerWithin([(statement, Reply.command(tag, .inTransaction))]) == Self.wrote)
    }

    @Test func temporaryTablesAndOpaqueStatements() {
        let temporary = ("CREATE TEMP TABLE", Reply.command("CREATE TABLE", .inTransaction))
        #expect(answerWithin([temporary]) == Self.wrote)
        #expect(answerWithin([("DO something", Reply.command("DO", .inTransaction))]) == Self.wrote)
    }

    @Test func readsAndSavepointsDisturbNothing() {
        let steps = [
            ("SELECT b", Reply.select(.inTransaction)), ("SAVEPOINT s", Reply.command("SAVEPOINT", .inTransaction)),
            ("SELECT oops", Reply.error(.failed)), ("ROLLBACK TO s", Reply.command("ROLLBACK", .inTransaction)),
            ("RELEASE s", Reply.command("RELEASE", .inTransaction)),
        ]
        #expect(answerWithin(steps) == ["hit ZT"])
    }

    @Test func aWriteThatWasRolledBackStillCounts() {
        let steps = [
            ("UPDATE t", Reply.command("UPDATE 1", .inTransaction)),
            ("ROLLBACK TO first", Reply.command("ROLLBACK", .inTransaction)),
        ]
        #expect(answerWithin(steps) == Self.wrote)
    }

    /// Conformance case 59.
    @Test func inAFailedTransactionNothingHits() {
        #expect(answerWithin([("SELECT oops", Reply.error(.failed))]) == ["bypass transaction_failed", "> Q"])
    }

    @Test func itsEndAllowsHitsAgain() {
        let write = ("UPDATE t", Reply.command("UPDATE 1", .inTransaction))
        #expect(answerWithin([write, ("COMMIT", Reply.command("COMMIT"))]) == ["hit Z"])
        #expect(answerWithin([write, ("ROLLBACK", Reply.command("ROLLBACK"))]) == ["hit Z"])
    }

    @Test func anotherTransactionInOneTextIsOfUnknownLevel() {
        let steps = [("COMMIT; BEGIN", Reply.command("COMMIT", .inTransaction))]
        #expect(answerWithin(steps) == ["bypass transaction_isolation", "> Q"])
        let chained = [("COMMIT AND CHAIN", Reply.command("COMMIT", .inTransaction))]
        #expect(answerWithin(chained) == ["hit ZT"])
    }

    @Test(arguments: [
        "BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY", "BEGIN; X",
    ])
    func otherLevelsAreTheServers(statement: String) {
        let script = session()
        script.client(Query(statement))
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["bypass not_a_select", "> Q", "< C Z", "bypass transaction_isolation", "> Q"])
    }

    @Test func aFillWithinATransactionIsKept() {
        let script = session()
        script.client(Query("BEGIN"), Query("SELECT b"))
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        script.serverBytes(Reply.select(.inTransaction))
        #expect(script.takeLog().last == "kept 2: T D C")
        script.client(Query("UPDATE t"))
        script.serverBytes(Reply.command("UPDATE 1", .inTransaction))
        _ = script.takeLog()
        script.client(Query("SELECT c"))
        #expect(script.takeLog() == ["bypass transaction_wrote", "> Q"])
    }

    /// The write is still under way: whether it is one, nobody waits to see.
    @Test func nothingHitsBehindAWriteOfTheSameTransaction() {
        let script = session()
        script.client(Query("BEGIN"), Query("UPDATE t"), Query("SELECT a"))
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        #expect(script.takeLog().suffix(4) == ["bypass not_a_select", "> Q", "bypass pipeline", "> Q"])
    }

    @Test func anErrorUnderWayIsSeenBeforeAHit() {
        let script = session()
        script.client(Query("BEGIN"), Query("SELECT b"), Query("SELECT a"))
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        script.serverBytes(Reply.error(.failed))
        #expect(script.takeLog().suffix(2) == ["bypass transaction_failed", "> Q"])
    }

    @Test func byteByByteTheSame() {
        let bytes =
            Query("BEGIN").encoded() + Query("SELECT a").encoded() + Query("SELECT b").encoded()
            + Query("COMMIT").encoded()
        let script = session()
        for byte in bytes { script.clientBytes([byte]) }
        for byte in Reply.command("BEGIN", .inTransaction) { script.serverBytes([byte]) }
        for byte in Reply.select(.inTransaction) { script.serverBytes([byte]) }
        for byte in Reply.command("COMMIT") { script.serverBytes([byte]) }
        #expect(script.log.contains("answer C ZT"))
        #expect(script.log.contains("hit ZT"))
        #expect(script.log.contains("kept 2: T D C"))
        #expect(script.isQuiescent)
    }
}
