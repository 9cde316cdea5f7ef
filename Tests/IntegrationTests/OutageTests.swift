import Glibc
import Testing
import WaldenTestKit

/// Scenario: `cache.outage_staleness` is set, and the primary dies or hangs; its fence takes as long as the test wants, so
/// that clients are held. Risk: an answer from the cache without a word of its age, one that hides the session's own
/// write, one inside a transaction, or one that outlives the promotion.
@Suite(.serialized) struct OutageTests {
    private static let cached = "SELECT id FROM newest WHERE writer = 0"

    /// A stack whose fence waits until it is let go, and the files by which that is known.
    private struct Scene {
        let files: Scratch
        let stack: FailoverStack

        init() throws {
            files = try Scratch()
            let wait = "touch \(files.path)/begun; while [ ! -e \(files.path)/go ]; do sleep 0.02; done"
            var configuration = SuccessionLoad.configuration
            configuration.settings += ["cache:", "  outage_staleness: 30s"]
            configuration.failover = [
                "fence_command: [/bin/sh, -c, \"\(wait)\"]", "fence_timeout: 60s", "hold_timeout: 60s",
            ]
            try Self.open(files.path)
            stack = try FailoverStack.start(configuration)
        }

        /// The fence runs as whoever Walden runs as.
        private static func open(_ path: String) throws {
            guard chmod(path, 0o777) == 0 else { throw TestKitError("chmod") }
        }

        func awaitHold() throws {
            try eventually("the fence is asked", timeout: .seconds(40)) { access("\(files.path)/begun", F_OK) == 0 }
        }

        func letGo() throws {
            _ = try files.write("go", "")
        }

        func end() {
            stack.end()
            files.end()
        }

        /// Until the read is answered from memory; then the cache shows at least what this session has seen.
        func warm(_ read: () throws -> Void) throws {
            try eventually("a read is answered from memory") {
                let before = try stack.walden.figures().hits
                try read()
                return try stack.walden.figures().hits > before
            }
        }

        /// A session that no replica serves.
        func warmed(by read: String = OutageTests.cached) throws -> SQLClient {
            let client = try stack.walden.connect()
            try client.query("SET walden.route = 'primary'")
            try warm { try client.query(read) }
            _ = client.takeNotices()
            return client
        }

        /// The walsender that tells Walden of changes says no more.
        func stopStream() throws {
            let pid = try stack.cluster.primary.connect().scalar(
                "SELECT active_pid FROM pg_replication_slots WHERE slot_type = 'logical' AND active")
            guard let pid = pid.flatMap({ Int32($0) }), Glibc.kill(pid, SIGSTOP) == 0 else {
                throw TestKitError("the stream's walsender could not be stopped")
            }
        }
    }

    private func isTold(_ notice: SQLError) -> Bool {
        notice.severity == "NOTICE" && notice.sqlState == "01W01"
            && notice.message.hasPrefix("answered from Walden's cache, up to ")
            && notice.message.hasSuffix(" s old: the primary is being replaced")
    }

    @Test(.againstHanging) func readsGoOnWhileAKilledPrimaryIsReplaced() throws {
        let scene = try Scene()
        defer { scene.end() }
        let stack = scene.stack
        let reader = try scene.warmed()
        let early = try scene.warmed()
        let inTransaction = try scene.warmed()
        // So that the next BEGIN needs nobody.
        for statement in ["BEGIN", "SELECT 1", "COMMIT"] { try inTransaction.query(statement) }
        try scene.warm { try inTransaction.query(Self.cached) }
        let strict = try scene.warmed()
        try strict.query("SET walden.consistency = 'strict'")
        let elsewhere = try scene.warmed()
        let extended = try ProtocolClient(port: stack.walden.port, user: "postgres")
        let execution =
            FrontendMessage.parse(Self.cached) + FrontendMessage.bind() + FrontendMessage.describe(portal: "")
            + FrontendMessage.execute() + FrontendMessage.sync
        try scene.warm { try extended.exchange(execution) }
        try scene.warm { try extended.exchange(FrontendMessage.query(Self.cached)) }
        let (writer, lone) = (try scene.warmed(), try scene.warmed())
        try scene.stopStream()
        try writer.query("INSERT INTO writes VALUES (-1)")
        // The primary is there: what nobody vouches for is asked of it.
        let before = try stack.walden.figures().json["stale"].int ?? 0
        try eventually("hits end") {
            try lone.query(Self.cached)
            return try stack.walden.figures().json["stale"].int ?? 0 > before
        }
        #expect(lone.takeNotices().isEmpty)

        // Sent to the primary, it is run again when that dies: before anybody has found out, so it waits, and is answered when
        // the primary is held.
        stack.cluster.primary.freeze()
        let asked = try stack.walden.figures().json["stale"].int ?? 0
        try early.begin(Self.cached)
        try eventually("it is sent") { try stack.walden.figures().json["stale"].int ?? 0 > asked }
        try stack.cluster.primary.kill()
        try scene.awaitHold()
        #expect(try early.finish().texts == [["0"]])
        #expect(early.takeNotices().map(isTold) == [true])

        for waiting in [writer, strict] { try waiting.begin(Self.cached) }
        try elsewhere.begin("SELECT max(id) FROM newest")
        try inTransaction.query("BEGIN")
        try inTransaction.begin(Self.cached)
        for _ in 0..<3 { #expect(try reader.scalar(Self.cached) == "0") }
        #expect(reader.takeNotices().map(isTold) == [true, true, true])
        let answer = "N 1 2 T D C Z"
        #expect(tags(try extended.exchange(execution)) == answer)
        try extended.send(execution, execution)
        #expect(tags(try extended.receiveUntilReady(2)) == "\(answer) \(answer)")
        #expect(tags(try extended.exchange(FrontendMessage.query(Self.cached))) == "N T D C Z")
        #expect([writer, strict, elsewhere, inTransaction].map(\.isBusy) == [true, true, true, true])
        let held = try stack.walden.figures().json["cache"]
        #expect(held["outage_hits"].int == 8)
        #expect(try #require(held["frozen_seconds"].double) > 0)

        try scene.letGo()
        for waiting in [writer, strict, elsewhere, inTransaction] {
            #expect(try waiting.finish().texts == [["0"]])
            #expect(waiting.takeNotices().isEmpty)
        }
        try inTransaction.query("COMMIT")
        try judgePromoted(scene, reader)
    }

    @Test(.againstHanging) func readsGoOnWhileAFrozenPrimaryIsReplaced() throws {
        let scene = try Scene()
        defer { scene.end() }
        let reader = try scene.warmed()
        let early = try scene.warmed()
        scene.stack.cluster.primary.freeze()
        let before = try scene.stack.walden.figures().json["stale"].int ?? 0
        try early.begin(Self.cached)
        try eventually("a read goes to the primary") {
            if !early.isBusy {
                try early.finish()
                try early.begin(Self.cached)
            }
            return try scene.stack.walden.figures().json["stale"].int ?? 0 > before
        }
        try scene.awaitHold()
        // It had been sent to the primary, which will never answer.
        #expect(try early.finish().texts == [["0"]])
        #expect(try reader.scalar(Self.cached) == "0")
        #expect(reader.takeNotices().map(isTold) == [true])
        try scene.letGo()
        try judgePromoted(scene, reader)
        scene.stack.cluster.primary.thaw()
        try judgePromoted(scene, reader)
    }

    /// Under load, with clients held for as long as a reader needs to be answered from memory: whatever a session is shown, it
    /// never goes back, and it comes to what the new primary is told.
    @Test(.againstHanging) func sessionsOnlyGoForward() throws {
        let scene = try Scene()
        defer { scene.end() }
        let stack = scene.stack
        let writer = try stack.walden.connect()
        try writer.query("INSERT INTO newest VALUES (8, 1), (9, 1)")
        // Of a row that stays as it is, asked while nobody else does: its last answer is in memory, however busy it gets.
        let still = "SELECT id FROM newest WHERE writer = 8"
        let lone = try scene.warmed(by: still)
        let load = try SuccessionLoad(stack)
        let (isOver, reads, steps) = (Flag(), Counter(), Counter())
        let readers = try (0..<8).map { _ in
            try BackgroundThread { try Self.follow(stack, until: isOver, reads, backwards: steps) }
        }
        func write(_ id: Int) throws {
            try writer.query("UPDATE newest SET id = \(id) WHERE writer = 9")
            let before = reads.value
            try eventually("the readers go on", timeout: .seconds(60)) { reads.value > before + 400 }
        }
        for id in 2...6 { try write(id) }
        try stack.cluster.primary.kill()
        try scene.awaitHold()
        #expect(try lone.scalar(still) == "1")
        #expect(lone.takeNotices().map(isTold) == [true])
        try scene.letGo()
        try load.progress()
        try write(7)
        isOver.raise()
        #expect(try readers.map { try $0.join() } == Array(repeating: 7, count: 8))
        #expect(steps.value == 0, "sessions went back")
        let verdict = try load.judge()
        let hits = try stack.walden.figures().json["cache"]["outage_hits"].int ?? 0
        print("outage: kill -9 of the whole primary, \(hits) answered meanwhile, \(verdict)")
        #expect(verdict.lost.isEmpty, "acknowledged and lost: \(verdict.lost)")
        #expect(verdict.backwards.isEmpty, "a session went back: \(verdict.backwards)")
    }

    /// Reads one row again and again; what it was last.
    private static func follow(
        _ stack: FailoverStack, until isOver: Flag, _ reads: Counter, backwards: Counter
    ) throws -> Int {
        let client = try stack.walden.connect()
        // Who has been shown something by a replica since the loss stays with replicas.
        try client.query("SET walden.route = 'primary'")
        var newest = 0
        while !isOver.isRaised {
            let seen = Int(try client.scalar("SELECT id FROM newest WHERE writer = 9") ?? "") ?? -1
            if seen < newest { backwards.add() }
            newest = seen
            reads.add()
            usleep(500)
        }
        return newest
    }

    /// From the promotion on only what the new primary has, and no notice.
    private func judgePromoted(_ scene: Scene, _ reader: SQLClient) throws {
        let writer = try scene.stack.walden.connect()
        let written = try writer.scalar("UPDATE newest SET id = id + 1 WHERE writer = 0 RETURNING id")
        // What another session has written a moment ago is promised to this level alone, which does not wait for the cache.
        try reader.query("SET walden.consistency = 'strict'")
        #expect(try reader.scalar(Self.cached) == written)
        try reader.query("SET walden.consistency = 'session'")
        try scene.warm { try reader.query(Self.cached) }
        #expect(reader.takeNotices().isEmpty)
        #expect(try scene.stack.walden.figures().json["cache"]["frozen_seconds"].double == nil)
    }

    private func tags(_ messages: [BackendMessage]) -> String {
        messages.map { String($0.tag) }.joined(separator: " ")
    }
}
