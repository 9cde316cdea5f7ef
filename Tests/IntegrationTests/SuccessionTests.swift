import Testing
import WaldenTestKit

/// Scenario: clients of Walden read and write without pause while the primary dies in one way or another. Risk: an
/// acknowledged write that is nowhere, one that is there twice, a read that fails or shows what is gone, a client that is
/// held for ever.
@Suite(.serialized) struct SuccessionTests {
    @Test(.againstHanging) func clientsOfAKilledPrimarySeeAPause() throws {
        let stack = try FailoverStack.start(SuccessionLoad.configuration)
        defer { stack.end() }
        let load = try SuccessionLoad(stack)
        try load.progress()
        let idle = try stack.walden.connect()
        try idle.query("SET statement_timeout = '7s'")
        let open = try stack.walden.connect()
        try open.query("BEGIN")
        try open.query("INSERT INTO writes VALUES (-1)")
        try stack.cluster.primary.kill()
        try load.progress()
        let verdict = try judge(load)
        print("succession: kill -9 of the whole primary, \(verdict)")
        #expect(verdict.readErrors.isEmpty, "\(verdict.readErrors)")
        #expect(verdict.writeErrors.allSatisfy(Self.isExpected), "\(verdict.writeErrors)")
        // One that had nothing under way has noticed nothing.
        #expect(try idle.scalar("SHOW statement_timeout") == "7s")
        #expect(throws: SQLError.self) { try open.query("COMMIT") }
        try judgeCache(stack)

        // The sentinel's journal says who is the primary, whatever the configuration calls it; and the old one, back by
        // itself, is nobody's.
        _ = try stack.walden.terminate()
        try stack.cluster.primary.start()
        let second = try stack.restarted()
        defer { second.walden.scratch.end() }
        try second.awaitReadiness()
        let promoted = try #require(try servesWrites(of: second))
        #expect(promoted != stack.cluster.primary.name)
    }

    @Test(.againstHanging) func clientsOfAFrozenPrimarySeeAPause() throws {
        let stack = try FailoverStack.start(SuccessionLoad.configuration)
        defer { stack.end() }
        let load = try SuccessionLoad(stack)
        try load.progress()
        stack.cluster.primary.freeze()
        try load.progress()
        stack.cluster.primary.thaw()
        try load.progress()
        let verdict = try judge(load)
        print("succession: SIGSTOP of the whole primary, \(verdict)")
        #expect(verdict.readErrors.isEmpty, "\(verdict.readErrors)")
        #expect(verdict.writeErrors.allSatisfy(Self.isExpected), "\(verdict.writeErrors)")
        #expect(try servesWrites(of: stack) != stack.cluster.primary.name)
        try judgeCache(stack)
    }

    @Test(.againstHanging) func aSwitchoverIsNoticedByNobody() throws {
        let stack = try FailoverStack.start(SuccessionLoad.configuration)
        defer { stack.end() }
        let load = try SuccessionLoad(stack)
        try load.progress()
        let result = try stack.order(["switchover", "--to", "standby2"])
        #expect(result.status.isSuccess, "\(result.transcript)")
        #expect(try servesWrites(of: stack) == "standby2")
        try load.progress()
        let verdict = try judge(load)
        print("succession: a switchover, \(verdict)")
        #expect(verdict.readErrors.isEmpty, "\(verdict.readErrors)")
        #expect(verdict.writeErrors.isEmpty, "\(verdict.writeErrors)")
        try judgeCache(stack)
    }

    /// Its agent makes it a standby, and a switchover the primary again.
    @Test(.againstHanging) func theOldPrimaryFollowsAndMayLeadAgain() throws {
        var configuration = SuccessionLoad.configuration
        configuration.hasAgents = true
        let stack = try FailoverStack.start(configuration)
        defer { stack.end() }
        let load = try SuccessionLoad(stack)
        try load.progress()
        try stack.cluster.primary.kill()
        try stack.awaitStandbys(2)
        // It streams a moment before the sentinel has looked at it.
        try eventually("a switchover to it would go", timeout: .seconds(30)) {
            try stack.order(["switchover", "--to", "primary", "--dry-run"]).status.isSuccess
        }
        let result = try stack.order(["switchover", "--to", "primary"])
        #expect(result.status.isSuccess, "\(result.transcript)")
        #expect(try servesWrites(of: stack) == "primary")
        try load.progress()
        // The node that led meanwhile is made a standby as well.
        try stack.awaitStandbys(2)
        let verdict = try judge(load)
        print("succession: kill -9, rejoined, and back, \(verdict)")
        #expect(verdict.readErrors.isEmpty, "\(verdict.readErrors)")
        #expect(verdict.writeErrors.allSatisfy(Self.isExpected), "\(verdict.writeErrors)")
        try judgeCache(stack)
    }

    /// One transaction that does not end keeps the switchover from being; then all is as it was.
    @Test(.againstHanging) func aSwitchoverThatCannotDrainIsGivenUp() throws {
        var configuration = SuccessionLoad.configuration
        configuration.failover = ["switchover_timeout: 1s"]
        let stack = try FailoverStack.start(configuration)
        defer { stack.end() }
        let open = try stack.walden.connect()
        try open.query("BEGIN")
        try open.query("INSERT INTO writes VALUES (-1)")
        let result = try stack.order(["switchover"])
        #expect(!result.status.isSuccess)
        #expect(result.transcript.contains("given up"), "\(result.transcript)")
        try open.query("COMMIT")
        #expect(try servesWrites(of: stack) == "primary")
        try stack.awaitReadiness()
    }

    /// What a write may be told that was under way: nobody knows, or by the server that it never began.
    private static func isExpected(_ error: String) -> Bool {
        ["Whether the transaction has been committed is not known.", "due to unexpected postmaster exit"].contains {
            error.contains($0)
        }
    }

    /// Ends the clients; nothing acknowledged is lost, nothing was done twice, no session went back in time.
    private func judge(_ load: SuccessionLoad) throws -> SuccessionLoad.Verdict {
        let verdict = try load.judge()
        #expect(verdict.lost.isEmpty, "acknowledged and lost: \(verdict.lost)")
        #expect(verdict.twice.isEmpty, "executed twice: \(verdict.twice)")
        #expect(verdict.backwards.isEmpty, "a session went back: \(verdict.backwards)")
        return verdict
    }

    /// The name of the server that runs what Walden is given to write.
    private func servesWrites(of stack: FailoverStack) throws -> String? {
        let port = try stack.walden.connect().scalar(
            "INSERT INTO writes SELECT min(id) - 1 FROM (SELECT id FROM writes UNION VALUES (0)) w "
                + "RETURNING inet_server_port()")
        return stack.servers.first { "\($0.port)" == port }?.name
    }

    /// Results are kept and dropped by what the new primary tells.
    private func judgeCache(_ stack: FailoverStack) throws {
        let client = try stack.walden.connect()
        let read = "SELECT id FROM newest WHERE writer = 0"
        try eventually("results of the new primary are kept") {
            let before = try stack.walden.figures().hits
            try client.query(read)
            return try stack.walden.figures().hits > before
        }
        for id in [5, 6] {
            try client.query("UPDATE newest SET id = \(id) WHERE writer = 0")
            #expect(try client.scalar(read) == "\(id)")
        }
    }
}
