import Testing
import WaldenCore
import WaldenWire

@testable import WaldenSession

/// Scenario: the primary is lost while a COMMIT is under way there, and another takes its place. Risk: the client is told
/// of a commit that the new primary does not have, or of a rollback of one that it has: by what it says of another
/// transaction that bears the same number.
@Suite struct CommitInDoubtTests {
    /// Old and new primary.
    private let servers: [SimulatedServer]
    private let script: PooledScript

    init() {
        servers = Self.servers(beginning: Self.beginning)
        script = Self.script(servers)
    }

    private static let beginning = SwitchPoint(
        nextTransaction: TransactionID(501), watchedSince: Instant(nanoseconds: 5))

    private static func servers(beginning: SwitchPoint?, number: UInt64 = 4) -> [SimulatedServer] {
        let old = SimulatedServer(reign: Reign(number: 3))
        let new = SimulatedServer(
            reign: Reign(number: number, beginning: beginning), bornAt: Instant(nanoseconds: 30))
        old.transactionName = "500"
        return [old, new]
    }

    private static func script(
        _ servers: [SimulatedServer], resolvesCommits: Bool = true, mode: Pooling.Mode = .transaction
    ) -> PooledScript {
        let policy = SessionPolicy(guardsCommits: true, resolvesCommits: resolvesCommits)
        let script = PooledScript(servers: servers, mode: mode, policy: policy)
        script.clock = 10
        return script
    }

    /// BEGIN and what else is to be answered, then `last`, which is not.
    private func lose(
        _ script: PooledScript, after texts: [String] = ["INSERT x"],
        during last: [any FrontendMessage] = [Query("COMMIT")]
    ) -> ServerLoss {
        for text in ["BEGIN"] + texts { script.client(Query(text)) }
        script.answersAtOnce = false
        script.clientBytes(last.flatMap { $0.encoded() })
        _ = (script.seen(), script.takeEvents())
        script.clock = 20
        script.next = 1
        script.answersAtOnce = true
        return script.loseServer()
    }

    private func isUnknown(_ loss: ServerLoss) -> Bool {
        if case .end(let error?) = loss { error.sqlState == .transactionResolutionUnknown } else { false }
    }

    // MARK: Naming

    /// Behind the answer to the first write, by names of Walden's own.
    @Test func aTransactionIsNamedWhenItHasWritten() {
        script.client(Query("BEGIN"), Query("READ f()"))
        #expect(!servers[0].log.contains("P walden transaction"))
        script.client(Query("INSERT x"))
        let naming = [
            "P walden transaction", "B walden transaction", "E", "C walden transaction", "C walden transaction", "S",
        ]
        #expect(Array(servers[0].log.suffix(6)) == naming)
        let count = servers[0].log.count
        script.client(Query("INSERT y"))
        script.client(Query("COMMIT"))
        #expect(Array(servers[0].log[count...]) == ["Q INSERT y", "Q COMMIT"])
        #expect(script.seen() == "C ZT D(READ f()) C ZT D(INSERT x) C ZT D(INSERT y) C ZT C ZI")
    }

    @Test func nothingIsAskedWhereNothingIsResolved() {
        let script = Self.script(servers, resolvesCommits: false)
        for text in ["BEGIN", "INSERT x"] { script.client(Query(text)) }
        #expect(!servers[0].log.contains("P walden transaction"))
        #expect(isUnknown(lose(script)))
    }

    @Test(arguments: [["INSERT x"], ["READ f()"], ["BEGIN", "READ f()", "COMMIT"]])
    func nothingIsAskedWhereNoBlockHasWritten(_ texts: [String]) {
        for text in texts { script.client(Query(text)) }
        #expect(!servers[0].log.contains("P walden transaction"))
    }

    /// COMMIT AND CHAIN ends in a transaction as well, which is another.
    @Test func aNameIsAskedForAgainWhereATransactionMayHaveEnded() {
        for text in ["BEGIN", "INSERT x", "SAVEPOINT s"] { script.client(Query(text)) }
        #expect(servers[0].log.count { $0 == "P walden transaction" } == 2)
    }

    @Test func aCommitWaitsForTheName() {
        script.client(Query("BEGIN"))
        script.answersAtOnce = false
        script.client(Query("INSERT x"))
        servers[0].log.removeAll()
        script.pump()
        script.clientBytes([])
        script.client(Query("COMMIT"))
        #expect(!servers[0].log.contains("Q COMMIT"))
        script.pump()
        #expect(servers[0].log.last == "Q COMMIT")
    }

    /// The question made the transaction fail: the client's next statement meets the reason.
    @Test func aQuestionThatFailsIsTheNextStatementsError() {
        for text in ["BEGIN", "INSERT x"] { script.client(Query(text)) }
        servers[0].refusesNaming = true
        for text in ["SAVEPOINT s", "INSERT y"] { script.client(Query(text)) }
        #expect(
            script.seen()
                == "C ZT D(INSERT x) C ZT D(SAVEPOINT s) C ZT E(57014 canceling statement due to user request) ZE")
    }

    // MARK: Outcomes

    @Test func aCommitThatTheNewPrimaryHasIsTold() {
        servers[1].verdicts["500"] = "committed"
        guard case .rerun = lose(script) else {
            Issue.record("it is not asked for")
            return
        }
        #expect(script.seen() == "C ZI")
        #expect(script.takeEvents() == ["acquire 1", "resolved: committed", "release 1"])
        #expect(servers[1].log == ["Q SELECT pg_catalog.pg_xact_status('500'::pg_catalog.xid8)"])
        script.client(Query("READ f()"))
        #expect(script.seen() == "D(READ f()) C ZI")
    }

    @Test func aRollbackIsToldAndTheSessionGoesOn() {
        servers[1].verdicts["500"] = "aborted"
        _ = lose(script)
        let message = "the transaction was rolled back because its server was lost before it was committed"
        #expect(script.seen() == "E(40001 \(message)) ZI")
        for text in ["BEGIN", "INSERT x", "COMMIT"] { script.client(Query(text)) }
        #expect(script.seen() == "C ZT D(INSERT x) C ZT C ZI")
    }

    @Test func aCommitByTheExtendedProtocolIsToldInItsMessages() {
        servers[1].verdicts["500"] = "committed"
        _ = lose(script, during: [Parse(name: "c", query: "COMMIT"), Bind(statement: "c"), Execute(), Sync()])
        #expect(script.seen() == "1 2 C ZI")
        script.client(Query("BEGIN"), Bind(statement: "c"), Execute(), Sync())
        #expect(script.seen() == "C ZT 2 C ZI")
    }

    @Test(arguments: ["in progress", nil] as [String?]) func whatTheNewPrimaryCannotTellIsUnknown(_ verdict: String?) {
        servers[1].verdicts["500"] = verdict
        _ = lose(script)
        #expect(script.seen().isEmpty)
        #expect(script.takeEvents().contains { $0.hasPrefix("end: 08007") })
    }

    /// What was bound to the server is lost, what was committed there is not.
    @Test func aBoundSessionIsToldAndEnds() {
        servers[1].verdicts["500"] = "committed"
        _ = lose(script, after: ["LISTEN c", "INSERT x"])
        #expect(script.seen() == "C ZI")
        #expect(script.takeEvents().contains { $0.hasPrefix("end: 57P01") })
    }

    // MARK: What is not asked

    @Test(
        arguments: [
            // The new primary gives this number to a transaction of its own.
            (SwitchPoint(nextTransaction: TransactionID(500), watchedSince: Instant(nanoseconds: 5)), UInt64(4)),
            // The old one may have crashed since, and have given it to two.
            (SwitchPoint(nextTransaction: TransactionID(501), watchedSince: Instant(nanoseconds: 10)), 4),
            // Nobody saw the switch.
            (nil, 4),
            // One more has been the primary meanwhile.
            (beginning, 5),
            // The same is the primary again.
            (beginning, 3),
        ] as [(SwitchPoint?, UInt64)])
    func aNumberThatMayBeAnothersIsUnknown(_ beginning: SwitchPoint?, _ number: UInt64) {
        let servers = Self.servers(beginning: beginning, number: number)
        let script = Self.script(servers)
        servers[1].verdicts["500"] = "committed"
        _ = lose(script)
        #expect(servers[1].log.isEmpty)
        #expect(script.takeEvents().contains { $0.hasPrefix("end: 08007") })
    }

    @Test(arguments: ["INSERT y; COMMIT", "COMMIT AND CHAIN", "INSERT y; COMMIT; BEGIN"])
    func otherEndsOfATransactionAreUnknown(_ text: String) {
        #expect(isUnknown(lose(script, during: [Query(text)])))
    }

    @Test func aTransactionWithoutANumberIsUnknown() {
        servers[0].transactionName = nil
        #expect(isUnknown(lose(script)))
    }

    @Test func aWriteOutsideOfABlockIsUnknown() {
        script.answersAtOnce = false
        script.client(Query("INSERT x"))
        #expect(isUnknown(script.loseServer()))
    }

    /// Its outcome is being told.
    @Test func aCommitThatWasPartlyAnsweredIsUnknown() {
        for text in ["BEGIN", "INSERT x"] { script.client(Query(text)) }
        script.answersAtOnce = false
        script.client(Query("COMMIT"))
        script.say(CommandComplete("COMMIT").encoded())
        #expect(isUnknown(script.loseServer()))
    }

    @Test func anErrorThatAnswersACommitIsTold() {
        for text in ["BEGIN", "INSERT x"] { script.client(Query(text)) }
        script.answersAtOnce = false
        script.client(Query("COMMIT"))
        _ = script.seen()
        script.say(ErrorResponse(severity: .fatal, sqlState: .adminShutdown, message: "bye").encoded())
        #expect(script.seen() == "E(57P01 bye)")
        #expect(script.loseServer() == .end(nil))
    }

    // MARK: Between loss and verdict

    @Test func whatEndsTheSessionMeanwhileIsThatNobodyKnows() {
        for text in ["BEGIN", "INSERT x"] { script.client(Query(text)) }
        script.answersAtOnce = false
        script.client(Query("COMMIT"))
        script.next = nil
        _ = script.loseServer()
        #expect(script.isInDoubt)
        #expect(!script.isQuiescent)
        #expect(script.pendingCommit == .atHand)
        let word = script.lastWord(ErrorResponse(sqlState: .tooManyConnections, message: "no place"))
        #expect(word.sqlState == .transactionResolutionUnknown)
        #expect(word.fields[.detail]?.contains("no place") == true)
        #expect(script.refuseFront(word) == nil)
    }

    /// One that was opened before the loss may be dead and not know it.
    @Test func onlyAServerThatCanSettleItIsUsed() {
        for text in ["BEGIN", "INSERT x"] { script.client(Query(text)) }
        script.answersAtOnce = false
        script.client(Query("COMMIT"))
        (script.next, script.clock) = (nil, 20)
        _ = script.loseServer()
        func mayUse(_ reign: Reign?, _ bornAt: UInt64) -> Bool {
            script.mayUse(
                ServerSession(
                    node: NodeID(0), isPrimary: true, reign: reign, bornAt: Instant(nanoseconds: bornAt), parameters: []
                ))
        }
        #expect(!mayUse(Reign(number: 3), 20))
        #expect(mayUse(Reign(number: 3), 21))
        #expect(mayUse(Reign(number: 4), 1))
        #expect(!mayUse(nil, 21))
    }

    @Test func aNewPrimaryThatIsLostAsWellIsAskedAgain() {
        servers[1].verdicts["500"] = "committed"
        for text in ["BEGIN", "INSERT x"] { script.client(Query(text)) }
        script.answersAtOnce = false
        script.client(Query("COMMIT"))
        _ = script.seen()
        (script.next, script.clock) = (1, 20)
        _ = script.loseServer()
        script.say(ErrorResponse(severity: .fatal, sqlState: .crashShutdown, message: "bye").encoded())
        script.answersAtOnce = true
        #expect(script.loseServer() == .unnoticed)
        #expect(script.seen() == "C ZI")
    }
}
