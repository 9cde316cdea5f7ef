import Testing
import WaldenCore
import WaldenWire

@testable import WaldenSession

/// Scenario: a cancel request comes in while something is under way, or has cut off a commit's wait for standbys. Risk: it
/// reaches what commits, and the client is told of a commit that a failover loses.
@Suite struct PendingCommitTests {
    private func script(guardsCommits: Bool = true) -> PooledScript {
        let policy = SessionPolicy(guardsCommits: guardsCommits)
        return PooledScript(servers: [SimulatedServer()], policy: policy)
    }

    /// What is pending while the server has not answered the last of `texts`.
    private func pending(_ texts: [String]) -> PendingCommit {
        let script = script()
        for text in texts.dropLast() { script.client(Query(text)) }
        script.answersAtOnce = false
        script.client(Query(texts.last ?? ""))
        return script.pendingCommit
    }

    @Test(arguments: [
        (["READ f()"], PendingCommit.none),
        (["BEGIN", "INSERT x", "READ f()"], .none),
        (["INSERT x"], .possible),
        (["SELECT nextval FOR"], .possible),
        (["DO x"], .possible),
        (["EXECUTE x"], .possible),
        (["READ f(); INSERT x"], .possible),
        // A text may end the transaction that it finds open.
        (["BEGIN", "INSERT x", "INSERT y"], .possible),
        (["BEGIN", "INSERT x", "INSERT y; COMMIT"], .possible),
        (["BEGIN", "INSERT x", "COMMIT AND CHAIN"], .possible),
        (["BEGIN", "INSERT x", "COMMIT"], .atHand),
        (["BEGIN", "INSERT x", "END WORK"], .atHand),
    ])
    func whatIsUnderWay(_ texts: [String], _ expected: PendingCommit) {
        #expect(pending(texts) == expected, "\(texts)")
    }

    @Test func nothingIsPendingBetweenStatements() {
        let script = script()
        #expect(script.pendingCommit == .none)
        script.client(Query("BEGIN"), Query("INSERT x"))
        #expect(script.pendingCommit == .none)
        script.client(Query("COMMIT"))
        #expect(script.pendingCommit == .none)
    }

    /// What comes first may still be cancelled; it is to be looked at.
    @Test func aCommitBehindAnotherStatementIsNotAtHand() {
        let script = script()
        script.client(Query("BEGIN"), Query("INSERT x"))
        script.answersAtOnce = false
        script.client(Query("INSERT y"), Query("COMMIT"))
        #expect(script.pendingCommit == .possible)
    }

    @Test func aTextOfTheExtendedProtocolIsJudgedAlike() {
        let script = script()
        script.answersAtOnce = false
        script.client(Parse(query: "INSERT x"), Bind(), Execute(), Sync())
        #expect(script.pendingCommit == .possible)
        script.client(Parse(query: "INSERT x"), Bind(), Execute(), Flush())
        #expect(script.pendingCommit == .possible)
    }

    /// Nothing is known of what it does.
    @Test func aSessionThatIsOnlyRelayedMayCommitAtAnyTime() {
        let script = Script()
        #expect(script.pendingCommit == .possible)
        script.becomeReady()
        #expect(script.pendingCommit == .none)
        script.machine.isRelayOnly = true
        #expect(script.pendingCommit == .possible)
    }

    // MARK: Cut off

    private static let cutOff = NoticeResponse(
        ResponseFields(fields: [
            .init(.severity, "WARNING"), .init(.sqlState, "01000"), .init(.message, "annulation"),
            .init(.routine, "SyncRepWaitForLSN"),
        ]))

    @Test(arguments: [1, 5, 40]) func whatTheServerSaysAfterItIsNotTold(_ split: Int) {
        let script = script()
        script.answersAtOnce = false
        script.client(Query("INSERT x"))
        let answer = Self.cutOff.encoded() + Reply.command("INSERT 0 1")
        script.say(Array(answer.prefix(split)))
        script.say(Array(answer.dropFirst(split)))
        #expect(script.seen().isEmpty)
        let end = "give up: the wait for standbys to confirm a commit has been cut off"
        #expect(script.takeEvents() == ["acquire 0", end])
    }

    @Test func otherNoticesAreRelayed() {
        let script = script()
        script.answersAtOnce = false
        script.client(Query("INSERT x"))
        script.say(NoticeResponse(severity: .warning, sqlState: .successfulCompletion, message: "hm").encoded())
        script.say(Reply.command("INSERT 0 1"))
        #expect(script.seen() == "N C ZI")
    }

    @Test func itIsRelayedWhereTheNodesKeepTheirRoles() {
        let script = script(guardsCommits: false)
        script.answersAtOnce = false
        script.client(Query("INSERT x"))
        script.say(Self.cutOff.encoded() + Reply.command("INSERT 0 1"))
        #expect(script.seen() == "N C ZI")
    }
}
