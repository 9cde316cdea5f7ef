import Glibc
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing
import WaldenFailover
import WaldenHooks
import WaldenTestKit

/// Scenario: programs and addresses of operators that answer, veto, hang or fail. Risk: a failover that waits for one, a
/// veto taken for a consent, events in another order or lost unseen.
@Suite struct HookTests {
    private static let log = Logger(label: "hooks") { _ in SwiftLogNoOpLogHandler() }
    private static let event = HookEvent(event: .fence, term: 7, primary: "db1", node: "db2", at: 5)

    private static func shell(_ script: String, timeout: Duration = .seconds(20)) -> CommandHook {
        CommandHook(["/bin/sh", "-c", script], timeout: timeout)
    }

    @Test func aFenceHasThreeResults() async {
        let log = Self.log
        #expect(await Self.shell("exit 0").fence(Self.event, log: log) == .done)
        #expect(
            await Self.shell("echo not today; exit 75").fence(Self.event, log: log)
                == .refused("the fence hook vetoes: not today"))
        #expect(
            await Self.shell("echo broken >&2; exit 3").fence(Self.event, log: log)
                == .failed("the fence hook: exit code 3: broken"))
        #expect(
            await Self.shell("kill -9 $$").fence(Self.event, log: log) == .failed("the fence hook: signal 9: "))
        let missing = await CommandHook(["/nowhere/fence"]).fence(Self.event, log: log)
        #expect(missing == .failed("cannot start /nowhere/fence: No such file or directory"))
    }

    @Test func aFenceThatHangsHasFailedInTimeWithAllThatItStarted() async throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let hook = Self.shell("sleep 1000 & echo $! >'\(scratch.path)/pid'; wait", timeout: .milliseconds(500))
        let outcome = await hook.fence(Self.event, log: Self.log)
        #expect(outcome == .failed("the fence hook: ended for taking too long: "))
        let pid = try #require(pid_t(TextFile.read("\(scratch.path)/pid").prefix { $0.isNumber }))
        try eventually("the sleeper is gone") { kill(pid, 0) != 0 || isZombie(pid) }
    }

    private func isZombie(_ pid: pid_t) -> Bool {
        ((try? TextFile.read("/proc/\(pid)/stat"))?.split(separator: " ")).map { $0.count > 2 && $0[2] == "Z" } ?? true
    }

    /// A program's end is its own: what it left behind holds its output open.
    @Test func aFenceEndsThoughItLeavesSomethingRunning() async throws {
        let outcome = await Self.shell("sleep 5 & exit 0").fence(Self.event, log: Self.log)
        #expect(outcome == .done)
    }

    @Test func aProgramIsToldByInputAndVariablesAndWithoutAShell() async throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let script = try scratch.write(
            "hook", "#!/bin/sh\ncat >\"$1\"\necho \"$WALDEN_EVENT $WALDEN_TERM $WALDEN_NODE $2\" >\"$1.words\"\n")
        chmod(script, 0o755)
        let hook = CommandHook([script, "\(scratch.path)/out", "$(touch /tmp/x); 'a b'"])
        #expect(await hook.fence(Self.event, log: Self.log) == .done)
        let document = try JSONValue(parsing: TextFile.read("\(scratch.path)/out"))
        #expect(document["event"] == .string("fence"))
        #expect(document["node"] == .string("db2"))
        #expect(try TextFile.read("\(scratch.path)/out.words") == "fence 7 db2 $(touch /tmp/x); 'a b'\n")
    }

    @Test func outputIsBounded() async {
        let script = "head -c 10000000 /dev/zero | tr '\\0' x; echo; echo end; exit 1"
        guard case .failed(let reason) = await Self.shell(script).fence(Self.event, log: Self.log) else {
            Issue.record("no failure")
            return
        }
        #expect(reason.utf8.count < 5_000)
        #expect(reason.hasSuffix("; end"))
    }

    @Test func eventsComeInOrderAndTheOldestGoesFirst() async throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let (out, gate) = ("\(scratch.path)/out", "\(scratch.path)/gate")
        // The first waits at the gate; meanwhile the queue of two overflows.
        let script =
            "echo \"$WALDEN_TERM\" >>'\(out)'; [ \"$WALDEN_TERM\" != 1 ] || until [ -e '\(gate)' ]; do sleep 0.02; done"
        let hooks = EventHooks(
            commands: [Self.shell(script, timeout: .seconds(600))], webhooks: [], queueMaximum: 2, log: Self.log)
        var event = Self.event
        event.term = 1
        hooks.post(event)
        try await soon("the first has begun", timeout: .seconds(300)) {
            guard try TextFile.read(out) == "1\n" else { throw TestKitError("not yet") }
        }
        for term in 2...5 {
            event.term = UInt64(term)
            hooks.post(event)
        }
        #expect(hooks.figures.dropped == 2)
        try TextFile.write("go\n", to: gate)
        await hooks.shutDown(within: .seconds(300))
        #expect(try TextFile.read(out) == "1\n4\n5\n")
        #expect(hooks.figures.told == 3)
        #expect(hooks.figures.dropped == 2)
    }

    @Test func theEndWaitsForNoHook() async throws {
        let hooks = EventHooks(
            commands: [Self.shell("sleep 1000", timeout: .seconds(900))], webhooks: [], log: Self.log)
        hooks.post(Self.event)
        hooks.post(Self.event)
        let began = ContinuousClock.now
        await hooks.shutDown(within: .milliseconds(300))
        #expect(ContinuousClock.now - began < .seconds(300))
        #expect(hooks.figures.posted == 2)
        #expect(hooks.figures.failed + hooks.figures.dropped == 2)
    }

    @Test func aWebhookIsToldAgainUntilItTakesIt() async throws {
        let listener = try await HookListener(statuses: [503, 429, 204, 200])
        var hook = Webhook(url: "http://127.0.0.1:\(listener.port)/hook")
        hook.pause = .milliseconds(10)
        let hooks = EventHooks(commands: [], webhooks: [hook], log: Self.log)
        hooks.post(Self.event)
        var second = Self.event
        second.term = 8
        hooks.post(second)
        await hooks.shutDown(within: .seconds(300))
        #expect(listener.bodies.count == 4)
        #expect(listener.bodies.map { $0.contains(#""term":8"#) } == [false, false, false, true])
        #expect(hooks.figures.told == 2)
        try await listener.end()
    }

    @Test func aWebhookThatRefusesOrHangsIsGivenUp() async throws {
        let listener = try await HookListener(statuses: [404, nil, nil])
        var hook = Webhook(url: "http://127.0.0.1:\(listener.port)/hook")
        hook.pause = .milliseconds(10)
        hook.timeout = .milliseconds(200)
        hook.attempts = 2
        let hooks = EventHooks(commands: [], webhooks: [hook], log: Self.log)
        hooks.post(Self.event)
        hooks.post(Self.event)
        await hooks.shutDown(within: .seconds(300))
        #expect(hooks.figures.failed == 2)
        #expect(listener.bodies.count == 3)
        try await listener.end()
    }
}

/// An HTTP server that answers with the next status of a list; nil: not at all.
private final class HookListener: Sendable {
    private let script: HookScript
    private let channel: any Channel

    var bodies: [String] { script.bodies }
    var port: Int { channel.localAddress?.port ?? 0 }

    init(statuses: [Int?]) async throws {
        let script = HookScript(statuses)
        self.script = script
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(HookAnswerer(script))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    func end() async throws {
        try await channel.close()
    }
}

private final class HookScript: Sendable {
    private struct State {
        var statuses: [Int?]
        var bodies: [String] = []
    }

    private let state: Mutex<State>

    init(_ statuses: [Int?]) {
        state = Mutex(State(statuses: statuses))
    }

    var bodies: [String] { state.withLock { $0.bodies } }

    func answer(to body: String) -> Int? {
        state.withLock { state in
            state.bodies.append(body)
            return state.statuses.isEmpty ? 500 : state.statuses.removeFirst()
        }
    }
}

private final class HookAnswerer: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let script: HookScript
    private var body = ""

    init(_ script: HookScript) {
        self.script = script
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: body = ""
        case .body(let bytes): body += String(buffer: bytes)
        case .end:
            guard let status = script.answer(to: body) else { return }
            let head = HTTPResponseHead(
                version: .http1_1, status: .init(statusCode: status), headers: ["content-length": "0"])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
