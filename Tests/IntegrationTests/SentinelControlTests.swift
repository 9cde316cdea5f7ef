import Glibc
import Logging
import Synchronization
import Testing
import WaldenAdmin
import WaldenCore
import WaldenFailover
import WaldenPostgres
import WaldenRuntime
import WaldenSentinel
import WaldenTestKit

/// Scenario: people steer a sentinel before real servers by its socket and the commands, and read what has happened. Risk: an
/// order that is told to be done and is not, one that loses writes, or a history that differs from what was.
@Suite(.serialized) struct SentinelControlTests {
    @Test(.againstHanging) func aSwitchoverIsRehearsedOrderedAndTold() async throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try await scene.serveControl(sentinel) { directory in
            try scene.writeSome()
            try await scene.expect(["switchover", "--dry-run"], directory) { result in
                #expect(result.status == 0)
                #expect(result.output.contains("would become the primary; it lacks "), "\(result)")
                #expect(result.output.contains("as takeovers usually take"))
            }
            #expect(sentinel.incidents.isEmpty, "a rehearsal changed something")
            try await scene.expect(["switchover", "--to", "standby2"], directory) { result in
                #expect(result.status == 0, "\(result)")
                #expect(result.output.hasPrefix("standby2 is the primary (incident 2); clients waited at most "))
            }
            #expect(sentinel.view.primary == NodeID(2))
            #expect(sentinel.view.counts.switchovers == 1)
            let outage = try #require(sentinel.incidents.last?.outage)
            print("switchover: outage \(outage), takeover \(sentinel.view.estimate.takeover)")
            try scene.writeSome()
            try await scene.expect(["incidents"], directory) { result in
                #expect(result.output.contains("replaced  primary -> standby2  a switchover was ordered to standby2"))
            }
            try await scene.expect(["incidents", "show", "2"], directory) { result in
                #expect(result.output.contains("row 210: steady -> hold, a switchover is ordered"), "\(result)")
                #expect(result.output.contains("promote standby2 done after "))
                #expect(result.output.contains("row 1000: open -> steady"))
                #expect(result.output.contains("lost: nothing acknowledged, proven by the quorum"))
            }
            // The former primary has no agent that would bring it back, so too few are left for another one.
            try await scene.expect(["switchover"], directory) { result in
                #expect(result.status == 1)
                #expect(result.problem.contains("must be severed"), "\(result)")
                #expect(result.problem.contains("cure: bring back standbys"))
            }
        }
        _ = try scene.judge("refused without a quorum", on: scene.cluster.standbys[1])
    }

    @Test(.againstHanging) func aFailoverIsForeseenAndItsHistoryOutlivesTheSentinel() async throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        try scene.writeSome()
        let control = SentinelControl(sentinel, names: sentinel.names)
        let before = control.report()
        #expect(before.blockedBy == nil)
        #expect(before.bytesLostIfNow == 0)
        #expect(before.outlook.hasPrefix("if the primary died now: node standby"), "\(before.outlook)")
        #expect(before.outlook.contains(", 0 bytes lost, about "))
        try scene.cluster.primary.kill()
        let promoted = try scene.awaitFailover()
        try eventually("the incident is over") { sentinel.incidents.last?.outcome == .replaced }
        let told = try #require(sentinel.incidents.last)
        #expect(told.cause == .found(.crashed))
        let after = control.report()
        #expect(after.failovers == 1)
        // Which of the two is further changes with every write.
        #expect(after.primary == promoted.name)
        #expect(after.isEstimateMeasured)
        #expect(after.lastOutageSeconds == told.outage?.fractionalSeconds)
        #expect(control.incident(2)?.outcome == "replaced")
        let outage = try #require(told.outage)
        let seen = try scene.judge("a foreseen failover", on: promoted)
        print(
            "failover: foretold \(before.estimatedSeconds) s, told \(outage), seen by a writer \(seen), "
                + "takeover \(sentinel.view.estimate.takeover)")
        #expect(outage < .seconds(20))
        sentinel.stop()
        let second = try scene.makeSentinel()
        #expect(second.incidents.map(\.term) == [told.term])
        #expect(second.incidents.last?.outage == told.outage)
        #expect(second.view.counts.failovers == 0)
    }

    /// A standby and the primary are gone: what the last one lacks may have been acknowledged, so people have to say it.
    @Test(.againstHanging) func whatCannotBeProvenIsForcedByPeopleOnly() async throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try await scene.serveControl(sentinel) { directory in
            try scene.writeSome()
            try scene.cluster.standbys[0].kill()
            try scene.cluster.primary.kill()
            try eventually("the sentinel is in doubt") { sentinel.view.state == .suspect }
            try await scene.expect(["failover"], directory) { result in
                #expect(result.status == 64, "\(result)")
                #expect(result.output.contains("standby2 would be promoted; "), "\(result)")
                #expect(result.output.contains(" bytes of log that primary is known to have written would be lost"))
            }
            #expect(sentinel.view.primary == .configuredPrimary)
            try await scene.expect(["failover", "--force"], directory) { result in
                #expect(result.status == 0, "\(result)")
                #expect(result.output.contains("standby2 is the primary (incident 2)"), "\(result)")
            }
            try await scene.expect(["incidents", "show", "2"], directory) { result in
                #expect(result.output.contains("cause: a failover was ordered, whatever it costs"))
                #expect(result.output.contains("no quorum proves otherwise"), "\(result)")
            }
        }
    }

    @Test(.againstHanging) func whoIsPausedDoesNothingUntilResumed() async throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let sentinel = try scene.startSentinel()
        defer { sentinel.stop() }
        try await scene.serveControl(sentinel) { directory in
            try await scene.expect(["failover"], directory) { result in
                #expect(result.status == 64, "\(result)")
                #expect(result.output.contains("would be promoted; the quorum proves"))
                #expect(result.problem.contains("--force"))
            }
            try await scene.expect(["failover", "--force"], directory) { result in
                #expect(result.status == 1, "\(result)")
                #expect(result.problem.contains("there is nothing to force"))
            }
            try await scene.expect(["pause"], directory) { #expect($0.status == 0, "\($0)") }
            #expect(sentinel.view.readiness.block == .maintenance)
            try await scene.expect(["switchover"], directory) { result in
                #expect(result.status == 1)
                #expect(result.problem.contains("cure: walden resume"))
            }
            try await scene.expect(["switchover", "--to", "nobody"], directory) { result in
                #expect(result.status == 1)
                #expect(result.problem.contains("cure: name one of primary, standby1, standby2"))
            }
            try await scene.expect(["resume"], directory) { #expect($0.status == 0, "\($0)") }
            #expect(sentinel.view.state == .steady)
            try await scene.expect(["incidents"], directory) { #expect($0.output == "no incident yet\n") }
            try await scene.expect(["incidents", "show", "7"], directory) { #expect($0.status == 1) }
        }
    }
}

extension SentinelScene {
    /// Serves the control socket while `body` runs, which gets the sentinel's directory.
    fileprivate func serveControl(
        _ sentinel: Sentinel, _ body: (String) async throws -> Void
    ) async throws {
        let directory = "\(cluster.scratch.path)/sentinel"
        let (starts, continuation) = AsyncStream.makeStream(of: Void.self)
        var logger = Logger(label: "control")
        logger.logLevel = .error
        let server = ControlServer(
            path: "\(directory)/control", control: SentinelControl(sentinel, names: sentinel.names), log: logger
        ) { continuation.yield() }
        let task = Task {
            defer { continuation.finish() }
            try await server.run()
        }
        for await _ in starts { break }
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(directory))
        } catch {
            outcome = .failure(error)
        }
        task.cancel()
        try? await task.value
        try outcome.get()
    }

    /// Runs a command of `walden` on a thread of its own, for the pool's threads serve the socket.
    fileprivate func expect(
        _ arguments: [String], _ directory: String, _ judge: (CommandResult) -> Void
    ) async throws {
        let shared = CommandEnd()
        let thread = try BackgroundThread<Void> {
            defer { shared.isReached.store(true, ordering: .releasing) }
            let output = try WaldenProcess.run(arguments + ["--directory", directory], timeout: .seconds(150))
            shared.output.withLock { $0 = output }
        }
        while !shared.isReached.load(ordering: .acquiring) { try await Task.sleep(for: .milliseconds(20)) }
        try thread.join()
        let output = try #require(shared.output.withLock { $0 })
        judge(CommandResult(status: output.status.code, output: output.output, problem: output.errors))
    }
}

private struct CommandResult {
    let status: Int32?
    let output: String
    /// Of standard error.
    let problem: String
}

private final class CommandEnd: Sendable {
    let isReached = Atomic(false)
    let output = Mutex<ProcessOutput?>(nil)
}

extension WaldenTestKit.ExitStatus {
    fileprivate var code: Int32? { if case .exited(let code) = self { code } else { nil } }
}
