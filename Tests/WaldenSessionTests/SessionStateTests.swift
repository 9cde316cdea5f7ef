import Testing
import WaldenCore
import WaldenWire

@testable import WaldenSession

/// Settings, prepared statements and the order of answers: what decides whether a session may hit, and as whom.
@Suite struct SessionStateTests {
    /// What a statement adds to the log of a ready session that has `SELECT a` in the cache.
    private func answerAfter(_ steps: [(statement: String, reply: [UInt8])]) -> [String] {
        let script = Script()
        script.becomeReady()
        script.client(Query("SELECT a"))
        script.serverBytes(Reply.select())
        for step in steps {
            script.client(Query(step.statement))
            script.serverBytes(step.reply)
        }
        _ = script.takeLog()
        script.client(Query("SELECT a"))
        return script.takeLog()
    }

    @Test func aChangedSettingHasEntriesOfItsOwn() {
        #expect(answerAfter([]) == ["hit Z"])
        #expect(answerAfter([("SET x = 1", Reply.command("SET"))]) == ["fill 2", "> Q"])
        #expect(
            answerAfter([("SET x = 1", Reply.command("SET")), ("RESET x", Reply.command("RESET"))]) == ["hit Z"])
        #expect(
            answerAfter([("SET x = 1", Reply.command("SET")), ("RESET ALL", Reply.command("RESET"))]) == ["hit Z"])
    }

    @Test func anotherValueHasEntriesOfItsOwn() {
        let script = Script(parameters: [("options", "-c x=0")])
        script.becomeReady()
        script.client(Query("SELECT a"))
        script.serverBytes(Reply.select())
        script.client(Query("SET x = 1"))
        script.serverBytes(Reply.command("SET"))
        _ = script.takeLog()
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["fill 2", "> Q"])
    }

    @Test func aFailedSettingChangesNothing() {
        #expect(answerAfter([("SET x = 1", Reply.error())]) == ["hit Z"])
    }

    @Test func theRoleSurvivesResetAll() {
        let steps = [("SET role = bob", Reply.command("SET")), ("RESET ALL", Reply.command("RESET"))]
        #expect(answerAfter(steps) == ["fill 2", "> Q"])
        #expect(answerAfter(steps + [("DISCARD ALL", Reply.command("DISCARD ALL"))]) == ["hit Z"])
    }

    @Test func transactionsDecideOverSettings() {
        let begin = ("BEGIN", Reply.isolation("serializable") + Reply.command("BEGIN", .inTransaction))
        let set = ("SET x = 1", Reply.command("SET", .inTransaction))
        #expect(answerAfter([begin, set, ("COMMIT", Reply.command("COMMIT"))]) == ["fill 2", "> Q"])
        #expect(answerAfter([begin, set, ("ROLLBACK", Reply.command("ROLLBACK"))]) == ["hit Z"])
        // COMMIT of a failed transaction answers ROLLBACK.
        let failed = ("SELECT b", Reply.error(.failed))
        #expect(answerAfter([begin, set, failed, ("COMMIT", Reply.command("ROLLBACK"))]) == ["hit Z"])
    }

    @Test func rollbackToASavepointIsNotFollowed() {
        let steps = [
            ("BEGIN", Reply.isolation("serializable") + Reply.command("BEGIN", .inTransaction)),
            ("SAVEPOINT s", Reply.command("SAVEPOINT", .inTransaction)),
            ("SET x = 1", Reply.command("SET", .inTransaction)),
            ("ROLLBACK TO s", Reply.command("ROLLBACK", .inTransaction)),
            ("COMMIT", Reply.command("COMMIT")),
        ]
        #expect(answerAfter(steps) == ["bypass opaque_session", "> Q"])
    }

    @Test func opaqueSessionsBypassUntilDiscardAll() {
        let steps = [("DO something", Reply.command("DO"))]
        #expect(answerAfter(steps) == ["bypass opaque_session", "> Q"])
        #expect(answerAfter(steps + [("RESET ALL", Reply.command("RESET"))]) == ["bypass opaque_session", "> Q"])
        #expect(answerAfter(steps + [("DISCARD ALL", Reply.command("DISCARD ALL"))]) == ["hit Z"])
    }

    /// A text that the grammar refuses is opaque, for it might be newer than the grammar; a typo is not.
    @Test func aTypoChangesNothing() {
        #expect(answerAfter([("DO typo", Reply.error())]) == ["hit Z"])
        var context = ErrorResponse(sqlState: .syntaxError, message: "raised by the block itself")
        context.fields.fields.append(.init(.context, "PL/pgSQL function inline_code_block line 1 at RAISE"))
        let raised = context.encoded() + ReadyForQuery(.idle).encoded()
        #expect(answerAfter([("DO raise", raised)]) == ["bypass opaque_session", "> Q"])
    }

    @Test func executeMayNameAStatementThatChangesSettings() {
        let script = Script()
        script.becomeReady()
        script.client(Query("EXECUTE s"))
        script.serverBytes(Reply.command("SELECT 1"))
        script.client(Parse(name: "s", query: "SET x = 1"), Sync())
        script.server(ParseComplete(), ReadyForQuery(.idle))
        script.client(Query("RESET x"))
        script.serverBytes(Reply.command("RESET"))
        _ = script.takeLog()
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["fill 1", "> Q"])
        script.serverBytes(Reply.select())
        script.client(Query("EXECUTE s"))
        script.serverBytes(Reply.command("SET"))
        _ = script.takeLog()
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["bypass opaque_session", "> Q"])
    }

    @Test func temporaryTablesMayShadow() {
        let steps = [("CREATE TEMP TABLE", Reply.command("CREATE TABLE"))]
        #expect(answerAfter(steps) == ["bypass temporary_objects", "> Q"])
    }

    @Test func reportedParametersArePartOfTheKey() {
        let script = Script()
        script.becomeReady()
        script.client(Query("SELECT a"))
        script.serverBytes(Reply.select())
        script.server(ParameterStatus(name: "TimeZone", value: "Asia/Tokyo"))
        script.client(Query("SELECT a"))
        #expect(script.takeLog().suffix(2) == ["fill 2", "> Q"])
    }

    @Test(arguments: [
        ("-c search_path=a -c x=b\\ c", ["search_path": "a", "x": "b c"]),
        ("--statement-timeout=5 -cy=", ["statement_timeout": "5", "y": ""]),
    ])
    func optionsAreUnderstood(options: String, expected: [String: String]) throws {
        let assignments = try #require(StartupOptions.assignments(in: options))
        #expect(Dictionary(uniqueKeysWithValues: assignments.map { ($0.name, $0.value) }) == expected)
    }

    @Test(arguments: ["-d 3", "-c", "-c nothing", "plain"])
    func otherSwitchesMakeTheSessionOpaque(options: String) {
        #expect(StartupOptions.assignments(in: options) == nil)
        let script = Script(parameters: [("options", options)])
        script.becomeReady()
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["bypass opaque_session", "> Q"])
    }

    // MARK: Prepared statements

    /// A session whose named statement `s` exists for the client only, because its Parse came with a hit.
    private func withDeferredStatement(_ body: (Script) -> Void) -> [String] {
        let script = Script()
        script.becomeReady()
        script.client(Parse(name: "first", query: "SELECT a"), Bind(statement: "first"), Execute(), Sync())
        script.serverBytes(Reply.execution(parse: true, describe: false))
        script.client(Parse(name: "s", query: "SELECT a"), Bind(statement: "s"), Execute(), Sync())
        #expect(script.log.last == "hit 1 2 Z")
        _ = script.takeLog()
        body(script)
        return script.takeLog()
    }

    @Test func aDeferredStatementReachesTheServerWhenItMisses() {
        let log = withDeferredStatement { script in
            script.client(Bind(statement: "s", values: [[9]]), Execute(), Sync())
            script.serverBytes(ParseComplete().encoded() + Reply.execution(parse: false, describe: false))
            script.client(Bind(statement: "s", values: [[8]]), Execute(), Sync())
        }
        #expect(
            log == [
                "fill 2", "> inject P", "> B E S", "swallow 1", "< 2 D C Z", "kept 2: D C", "fill 3", "> B E S",
            ])
    }

    @Test func describingADeferredStatementPreparesIt() {
        let log = withDeferredStatement { script in
            script.client(Describe(.statement, name: "s"), Sync())
            script.server(
                ParseComplete(), ParameterDescription([]), RowDescription([]), ReadyForQuery(.idle))
        }
        #expect(log == ["> inject P", "> D", "> S", "swallow 1", "< t T Z"])
    }

    @Test func statementsThatNameOthersNeedThemAllOnTheServer() {
        let log = withDeferredStatement { script in
            script.client(Query("DEALLOCATE s"))
            script.server(ParseComplete(), ReadyForQuery(.idle))
            script.serverBytes(Reply.command("DEALLOCATE"))
            script.client(Bind(statement: "s"), Execute(), Sync())
        }
        #expect(
            log == [
                "bypass not_a_select", "> inject P S", "> Q", "swallow 1", "swallow Z", "< C Z",
                "bypass unknown_statement",
                "> B", "> E", "> S",
            ])
    }

    @Test func aNameThatIsTakenIsLeftToTheServer() {
        let log = withDeferredStatement { script in
            script.client(Parse(name: "s", query: "SELECT z"), Bind(statement: "s"), Execute(), Sync())
            script.server(ParseComplete())
            script.serverBytes(Reply.error())
            script.client(Bind(statement: "s"), Execute(), Sync())
        }
        #expect(log == ["bypass pipeline", "> inject P", "> P", "> B", "> E", "> S", "swallow 1", "< E Z", "hit 2 Z"])
    }

    /// The unnamed statement that came with a hit must not be sent after the one that takes its place.
    @Test func aNewUnnamedStatementReplacesADeferredOne() {
        let script = Script()
        script.becomeReady()
        script.client(Parse(query: "SELECT a"), Bind(), Execute(), Sync())
        script.serverBytes(Reply.execution(parse: true, describe: false))
        script.client(Parse(query: "SELECT a", parameterTypes: [.int4]), Bind(), Execute(), Sync())
        script.serverBytes(Reply.execution(parse: true, describe: false))
        script.client(Parse(query: "SELECT a"), Bind(), Execute(), Sync())
        #expect(script.takeLog().last == "hit 1 2 Z")
        script.client(Parse(query: "SELECT b"), Describe(.statement), Bind(), Execute(), Sync())
        #expect(script.takeLog() == ["bypass pipeline", "> P", "> D", "> B", "> E", "> S"])
    }

    @Test func aFailedParseDefinesNothing() {
        let script = Script()
        script.becomeReady()
        script.client(Parse(name: "s", query: "SELECT a"), Sync())
        script.serverBytes(Reply.error())
        _ = script.takeLog()
        script.client(Bind(statement: "s"), Execute(), Sync())
        #expect(script.takeLog().first == "bypass unknown_statement")
    }

    // MARK: Order of answers

    @Test func aCopyByExtendedProtocolIgnoresTheFirstSync() {
        let script = Script()
        script.becomeReady()
        script.client(Parse(query: "COPY t"), Bind(), Execute(), Sync())
        script.server(ParseComplete(), BindComplete(), CopyInResponse(CopyFormats(overall: .text, columns: [])))
        script.client(CopyData([1]), CopyDone(), Sync())
        script.serverBytes(Reply.command("COPY 1"))
        #expect(script.isQuiescent)
        #expect(!script.isRelayOnly)
    }

    @Test func anErrorInsideSuchACopyEndsCaching() {
        let script = Script()
        script.becomeReady()
        script.client(Parse(query: "COPY t"), Bind(), Execute(), Sync())
        script.server(ParseComplete(), BindComplete(), CopyInResponse(CopyFormats(overall: .text, columns: [])))
        script.serverBytes(Reply.error())
        script.client(Query("SELECT a"))
        #expect(script.takeLog().suffix(2) == ["bypass pipeline", "> Q"])
    }

    @Test func anAnswerTooManyEndsCaching() {
        let script = Script()
        script.becomeReady()
        script.server(ReadyForQuery(.idle))
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["< Z", "bypass pipeline", "> Q"])
    }

    @Test func aQueryEndsAUnitWithoutSync() {
        let script = Script()
        script.becomeReady()
        script.client(Parse(name: "s", query: "SELECT a"), Flush(), Query("SELECT b"))
        script.server(ParseComplete())
        script.serverBytes(Reply.select())
        #expect(script.isQuiescent)
    }

    @Test func replicationIsCopiedWithoutALook() {
        let script = Script(isCaching: false)
        script.becomeReady()
        script.client(Query("START_REPLICATION"))
        script.server(CopyBothResponse(CopyFormats(overall: .text, columns: [])))
        script.clientBytes([1, 2, 3])
        #expect(script.takeLog() == ["> Q", "transparent", "< W", "> +"])
    }

    @Test func nothingButAnswersPassesWhileAuthenticating() {
        let script = Script()
        script.client(PasswordMessage(Array("secret".utf8)), Query("SELECT a"))
        #expect(script.takeLog() == ["> p", "drain"])
    }

    @Test(arguments: [[0x51, 0, 0, 0, 3], [0x51, 0x7F, 0xFF, 0xFF, 0xFF], [0x21, 0, 0, 0, 4]] as [[UInt8]])
    func garbageIsAViolation(bytes: [UInt8]) {
        let script = Script()
        script.becomeReady()
        script.clientBytes(bytes)
        #expect(script.takeLog().first?.hasPrefix("violation") ?? false)
    }

    @Test func longMessagesAreStreamedAndBypass() {
        var limits = SessionLimits()
        limits.heldBytes = 64
        let script = Script(limits: limits)
        script.becomeReady()
        let long = Query("SELECT " + String(repeating: "a", count: 100)).encoded()
        script.clientBytes(Array(long.prefix(20)))
        script.clientBytes(Array(long.dropFirst(20)))
        #expect(script.takeLog() == ["bypass too_long", "> +", "> +"])
        script.serverBytes(Reply.select())
        #expect(script.isQuiescent)
    }
}
