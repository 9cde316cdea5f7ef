import Glibc
import Testing
import WaldenAgentClient
import WaldenRejoin
import WaldenTestKit

/// Scenario: an old primary whose agent is told to fence it and to make it a standby of the new one, with faults at every
/// boundary. Risk: an old primary that writes again, a directory that is neither node's, a configuration that is lost.
@Suite(.serialized) struct AgentTests {
    @Test(.againstHanging) func aFencedServerIsDownAndStaysDownThroughARestart() async throws {
        try await AgentScene.with { scene in
            let agent = try await scene.startAgent()
            let before = try await scene.client.status()
            #expect(
                before.isRunning && !before.isFenced && before.timeline == 1 && before.clusterState == "in production")
            let after = try await scene.client.fence(term: 7)
            #expect(!after.isRunning && after.isFenced && after.term == 7)
            #expect(throws: (any Error).self) { try scene.old.connect() }
            await #expect(throws: AgentClientError.refused("term 6 is over: term 7 has been heard of")) {
                try await scene.client.fence(term: 6)
            }
            agent.kill()
            let second = try await scene.startAgent()
            defer { second.kill() }
            await #expect(throws: AgentClientError.refused("term 6 is over: term 7 has been heard of")) {
                try await scene.client.fence(term: 6)
            }
            await #expect(throws: AgentClientError.refused("term 6 is over: term 7 has been heard of")) {
                try await scene.client.rejoin(scene.request(term: 6), within: .seconds(60))
            }
            await #expect(
                throws: AgentClientError.refused("fenced in term 7: the server is started by a rejoin only")
            ) { try await scene.client.start(within: .seconds(60)) }
            // Whoever starts it all the same gets no primary.
            try scene.old.start()
            #expect(try scene.old.connect().scalar("SELECT pg_is_in_recovery()") == "t")
            await #expect(throws: AgentClientError.refused("the server runs, as a standby: stop it first")) {
                try await scene.client.unfence(term: 7)
            }
            // The same order once more stops that, too.
            #expect(try await scene.client.fence(term: 7).isRunning == false)
            // Nothing came of the failover: people take it back.
            #expect(try await scene.client.unfence(term: 7).isFenced == false)
            #expect(try await scene.client.start(within: .seconds(60)).state == .done)
            #expect(try scene.old.connect().scalar("SELECT pg_is_in_recovery()") == "f")
        }
    }

    @Test(.againstHanging) func aFrozenServerIsFenced() async throws {
        try await AgentScene.with { scene in
            let agent = try await scene.startAgent()
            defer { agent.kill() }
            scene.old.freeze()
            #expect(try await scene.client.fence(term: 1).isRunning == false)
            #expect(!scene.old.isRunning)
        }
    }

    @Test(.againstHanging) func itIsStoppedAndStarted() async throws {
        try await AgentScene.with { scene in
            let agent = try await scene.startAgent()
            defer { agent.kill() }
            #expect(try await scene.client.stop(within: .seconds(90)).state == .done)
            #expect(try await scene.client.status().clusterState == "shut down")
            #expect(try await scene.client.start(within: .seconds(90)).state == .done)
            #expect(try scene.old.connect().scalar("SELECT pg_is_in_recovery()") == "f")
            // It goes on without its agent.
            agent.signal(SIGTERM)
            #expect(try agent.wait(timeout: .seconds(20)).isSuccess)
            #expect(try scene.old.connect().scalar("SELECT 1") == "1")
        }
    }

    @Test(.againstHanging) func aKilledPrimaryIsRewound() async throws {
        try await AgentScene.with { scene in
            try scene.distinguish()
            try scene.new.restart()
            try scene.failOver()
            try scene.replace("pg_rewind", by: #"printf '%s\n' "$@" >"$STATE/server.log"; exec "$REAL" "$@""#)
            let agent = try await scene.startAgent()
            defer { agent.kill() }
            #expect(try await scene.client.fence(term: 2).isFenced)
            let job = try await scene.client.rejoin(scene.request(slot: "walden_old"), within: .seconds(120))
            #expect(job.stage == .done)
            #expect(
                job.lines.filter { !$0.hasPrefix("stop") } == [
                    "save", "rewind", "configure", "start", "awaitStream", "finish",
                ])
            try scene.judge()
            #expect(try !TextFile.read("\(scene.state)/server.log").contains("hush"))
            let slot = try scene.new.connect().scalar(
                "SELECT active FROM pg_replication_slots WHERE slot_name = 'walden_old'")
            #expect(slot == "t")
            let status = try await scene.client.status()
            #expect(
                status.isRunning && !status.isFenced && status.term == 2 && status.clusterState == "in archive recovery"
            )
            // A late copy of the order that came before.
            #expect(try await scene.client.fence(term: 2).isRunning)
        }
    }

    @Test(.againstHanging) func whatCannotBeRewoundIsReplacedByACopy() async throws {
        try await AgentScene.with(canRewind: false) { scene in
            try scene.distinguish()
            try scene.new.restart()
            try scene.failOver()
            let agent = try await scene.startAgent()
            defer { agent.kill() }
            let job = try await scene.client.rejoin(scene.request(), within: .seconds(120))
            #expect(
                job.lines.map { $0.prefix { $0.isLetter } } == [
                    "save", "giveUpRewinding", "copy", "setAside", "moveIn", "configure", "start", "awaitStream",
                    "removeOld",
                    "finish",
                ], "\(job.lines)")
            #expect(job.lines.contains { $0.contains("wal_log_hints") })
            try scene.judge()
        }
    }

    static let deaths: [(String, String, canRewind: Bool)] = [
        ("pg_rewind", "after", true), ("pg_basebackup", "after", false), ("pg_controldata", "renames", false),
        ("pg_ctl", "start", false), ("pg_ctl", "started", true),
    ]

    /// It dies between two steps, or in the middle of one, and the next one finds what it left.
    @Test(.againstHanging, arguments: deaths)
    func anAgentThatIsKilledLeavesNothingUndone(_ program: String, _ moment: String, canRewind: Bool) async throws {
        try await AgentScene.with(canRewind: canRewind) { scene in
            try scene.distinguish()
            try scene.new.restart()
            try scene.failOver()
            let once = #"[ ! -e "$STATE/../died" ] && touch "$STATE/../died""#
            let script =
                switch moment {
                case "after": #""$REAL" "$@"; "# + once + " && kill -9 $PPID; exit 0"
                case "renames":
                    #"[ ! -e "$DATA" ] && [ -e "$DATA.walden-old" ] && "# + once
                        + #" && kill -9 $PPID; exec "$REAL" "$@""#
                case "start": #"[ "$1" = start ] && "# + once + #" && kill -9 $PPID && exit 1; exec "$REAL" "$@""#
                default:
                    #"[ "$1" = start ] || exec "$REAL" "$@"; "$REAL" "$@"; s=$?; "# + once
                        + " && kill -9 $PPID; exit $s"
                }
            try scene.replace(program, by: script)
            try ProcessRunner.check(["chown", "--reference=\(scene.state)", "\(scene.state)/.."])
            let first = try await scene.startAgent()
            let begun = try await scene.client.beginRejoin(scene.request())
            #expect(try first.wait(timeout: .seconds(90)) == .signalled(SIGKILL))
            let second = try await scene.startAgent()
            defer { second.kill() }
            let job = try await scene.client.finished(begun, within: .seconds(120))
            #expect(job.stage == .done)
            if program == "pg_rewind" { #expect(job.lines.contains { $0.contains("pg_rewind was interrupted") }) }
            try scene.judge()
        }
    }

    /// The program that the agent had started works on when the agent is killed; the next one ends it first.
    @Test(.againstHanging) func whatAKilledAgentLeftAtWorkIsEnded() async throws {
        try await AgentScene.with(canRewind: false) { scene in
            try scene.distinguish()
            try scene.new.restart()
            try scene.failOver()
            // The copy goes on as slowly as the rate says.
            try scene.replace(
                "pg_basebackup",
                by: #"[ -e "$STATE/../died" ] && exec "$REAL" "$@"; touch "$STATE/../died"; exec "$REAL" "$@" -r 64"#)
            try ProcessRunner.check(["chown", "--reference=\(scene.state)", "\(scene.state)/.."])
            let first = try await scene.startAgent()
            let begun = try await scene.client.beginRejoin(scene.request())
            try eventually("the copy is under way") {
                TextFile.names(in: "\(scene.old.dataDirectory).walden-new").contains("base")
            }
            first.kill()
            let second = try await scene.startAgent()
            defer { second.kill() }
            #expect(scene.log.contains("ended what an earlier agent left at work"))
            #expect(try await scene.client.finished(begun, within: .seconds(120)).stage == .done)
            try scene.judge()
        }
    }

    @Test(.againstHanging) func aFenceOverrulesARejoin() async throws {
        try await AgentScene.with(canRewind: false) { scene in
            try scene.distinguish()
            try scene.new.restart()
            try scene.failOver()
            try scene.replace(
                "pg_basebackup",
                by: #"[ -e "$STATE/../died" ] && exec "$REAL" "$@"; touch "$STATE/../died"; exec "$REAL" "$@" -r 64"#)
            try ProcessRunner.check(["chown", "--reference=\(scene.state)", "\(scene.state)/.."])
            let agent = try await scene.startAgent()
            defer { agent.kill() }
            let begun = try await scene.client.beginRejoin(scene.request())
            await #expect(throws: AgentClientError.refused("job \(begun.id) is under way: rejoin")) {
                try await scene.client.stop(within: .seconds(5))
            }
            try eventually("the copy is under way") {
                TextFile.names(in: "\(scene.old.dataDirectory).walden-new").contains("base")
            }
            #expect(try await scene.client.fence(term: 3).isFenced)
            let job = try await scene.client.job(begun.id)
            #expect(job.state == .failed && job.problem == "a fence overruled it")
            // And from there it goes on anew.
            #expect(try await scene.client.rejoin(scene.request(term: 3), within: .seconds(120)).stage == .done)
            try scene.judge()
        }
    }

    @Test(.againstHanging) func aSourceOfAnotherClusterChangesNothing() async throws {
        try await AgentScene.with { scene in
            let stranger = try scene.startStranger()
            defer { stranger.process.kill() }
            let agent = try await scene.startAgent()
            defer { agent.kill() }
            var request = scene.request()
            request.source = stranger.dsn
            let error = await #expect(throws: AgentClientError.self) {
                try await scene.client.rejoin(request, within: .seconds(60))
            }
            #expect(error?.description.contains("this is another cluster than the source's") == true)
            #expect(try await scene.client.start(within: .seconds(60)).state == .done)
            #expect(try scene.old.connect().scalar("SELECT pg_is_in_recovery()") == "f")
        }
    }

    @Test(.againstHanging) func clientsNeedACertificateOfTheAuthority() async throws {
        try await AgentScene.with { scene in
            let (ours, others) = (try CertificateAuthority("Ours"), try CertificateAuthority("Others"))
            let server = try ours.issue("agent", subject: "/CN=agent", alternatives: ["IP:127.0.0.1"], forServer: true)
            let proxy = try ours.issue("proxy", subject: "/CN=proxy")
            let stranger = try others.issue("proxy", subject: "/CN=proxy")
            let port = try Ports.free()
            let agent = try await scene.startAgent([
                "--listen", "127.0.0.1:\(port)", "--tls-certificate", server.certificate, "--tls-key", server.key,
                "--tls-client-ca", ours.certificate,
            ])
            defer { agent.kill() }
            func client(_ issued: CertificateAuthority.Issued, trusting: CertificateAuthority) throws -> AgentClient {
                let files = AgentAddress.TLSFiles(
                    certificate: issued.certificate, key: issued.key, authority: trusting.certificate)
                return try AgentClient(.tls(host: "127.0.0.1", port: port, files))
            }
            let good = try client(proxy, trusting: ours)
            try await soon("the agent answers") { _ = try await good.status() }
            let wrong = try client(stranger, trusting: ours)
            await #expect(throws: AgentClientError.self) { try await wrong.fence(term: 9) }
            let mistrusting = try client(proxy, trusting: others)
            await #expect(throws: AgentClientError.self) { try await mistrusting.fence(term: 9) }
            let status = try await good.status()
            #expect(status.term == 0 && status.isRunning)
            for client in [good, wrong, mistrusting] { await client.shutDown() }
        }
    }

    @Test func whatCannotWorkIsRefusedAtTheStart() throws {
        func refusal(_ arguments: [String]) throws -> (WaldenTestKit.ExitStatus, String) {
            let end = try WaldenProcess.run(["agent"] + arguments)
            return (end.status, end.errors)
        }
        let (usage, missing) = try refusal(["--data-directory", "/tmp/x", "--listen", "127.0.0.1:1"])
        #expect(usage == .exited(64) && missing.contains("--tls-client-ca"))
        let (_, both) = try refusal(["--data-directory", "/tmp/x", "--socket", "/tmp/a", "--listen", "127.0.0.1:1"])
        #expect(both.contains("either --listen ADDRESS or --socket PATH"))
        let (_, relative) = try refusal(["--data-directory", "x", "--socket", "/tmp/a"])
        #expect(relative.contains("--data-directory must be an absolute path"))
        guard getuid() == 0 else { return }
        let (status, root) = try refusal(["--data-directory", "/tmp", "--socket", "/tmp/a"])
        #expect(status == .exited(69) && root.contains("does not run as root"))
    }

    @Test(.againstHanging) func aSecondAgentIsRefusedAndTheSocketIsItsUsersOnly() async throws {
        try await AgentScene.with { scene in
            let agent = try await scene.startAgent()
            defer { agent.kill() }
            let second = try scene.spawnAgent(["--socket", "\(scene.cluster.scratch.path)/agent/other"])
            #expect(try second.wait(timeout: .seconds(30)) == .exited(69))
            #expect(scene.log.contains("another agent uses"))
            var info = stat()
            #expect(stat(scene.socket, &info) == 0 && info.st_mode & 0o777 == 0o600)
        }
    }
}
