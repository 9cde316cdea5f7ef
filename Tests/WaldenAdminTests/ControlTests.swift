import Glibc
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import Testing

@testable import WaldenAdmin

private let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

@Suite("The control socket", .timeLimit(.minutes(1)))
struct ControlTests {
    private static func ask(_ method: String, _ path: String, _ query: String? = nil) async -> (ControlAnswer, [String])
    {
        let control = Puppet()
        let answer = await ControlAnswer.of(method: method, path: path, query: query, control: control)
        return (answer, control.orders)
    }

    @Test(
        "orders reach the sentinel",
        arguments: [
            ("/switchover", nil, "switchover to -"), ("/switchover", "to=pg2", "switchover to pg2"),
            ("/switchover", "to=pg2&dry_run=1", "rehearsal of pg2"), ("/failover", "force=1", "force"),
            ("/pause", nil, "pause"), ("/resume", nil, "resume"),
        ])
    func orders(path: String, query: String?, expected: String) async {
        let (answer, orders) = await Self.ask("POST", path, query)
        #expect(orders == [expected])
        #expect(answer.status == 200)
        #expect(answer.body.hasPrefix(#"{"outcome":"done","message":"as ordered","cure":null"#))
    }

    @Test(
        "nothing is ordered by reading, nor read by ordering",
        arguments: [
            ("GET", "/switchover", 405), ("GET", "/pause", 405), ("PUT", "/resume", 405), ("POST", "/incidents", 405),
            ("POST", "/failover", 400), ("POST", "/failovers", 404), ("GET", "/", 404), ("GET", "/incidents/x", 404),
            ("GET", "/incidents/5", 404), ("DELETE", "/incidents/4", 405), ("", "/pause", 405), ("ST", "/pause", 405),
        ])
    func refused(method: String, path: String, status: Int) async {
        let (answer, orders) = await Self.ask(method, path)
        #expect(answer.status == status)
        #expect(orders.isEmpty)
    }

    @Test(
        "what became of it is the status",
        arguments: [(FailoverAnswer.Outcome.done, 200), (.rehearsed, 200), (.underWay, 202), (.refused, 409)])
    func outcomes(outcome: FailoverAnswer.Outcome, status: Int) async {
        var given = FailoverAnswer(outcome, "so")
        given.cure = "this"
        let control = Puppet(answer: given)
        let answer = await ControlAnswer.of(method: "POST", path: "/pause", query: "text=1", control: control)
        #expect(answer.status == status)
        #expect(answer.body == "so\ncure: this\n")
    }

    @Test("incidents are listed, and told one by one, as JSON and as text")
    func incidents() async {
        #expect(await Self.ask("GET", "/incidents").0.body.hasPrefix(#"{"incidents":[{"number":4,"#))
        #expect(await Self.ask("GET", "/incidents", "text=1").0.body == IncidentReport.sample.summary)
        #expect(await Self.ask("GET", "/incidents/4").0.body.contains(#""events":[{"seconds":-0.05,"#))
        #expect(await Self.ask("GET", "/incidents/4", "text=1").0.body == IncidentReport.sample.text)
    }

    @Test("before a failover is forced it is told what may be lost")
    func risk() async {
        let text = await Self.ask("GET", "/failover", "text=1").0.body
        #expect(text.contains("pg2 would be promoted; 99 bytes of log that pg1 is known to have written would be lost"))
        #expect(await Self.ask("GET", "/failover").0.body.hasPrefix(#"{"outlook":"#))
    }

    @Test("the socket is its owner's alone, replaces what lay there, and goes with the server")
    func socket() async throws {
        let path = "/tmp/walden-control-\(getpid())"
        let stale = open(path, O_CREAT | O_WRONLY, 0o644)
        close(stale)
        defer { unlink(path) }
        let control = Puppet()
        let (starts, continuation) = AsyncStream.makeStream(of: Void.self)
        let server = ControlServer(path: path, control: control, log: silent) { continuation.yield() }
        let group = ServiceGroup(configuration: .init(services: [server], logger: silent))
        let run = Task { try await group.run() }
        for await _ in starts { break }
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & S_IFMT == S_IFSOCK)
        #expect(status.st_mode & 0o777 == 0o600)
        let answer = try await exchange("POST /switchover?to=pg2 HTTP/1.1\r\ncontent-length: 0", path: path)
        #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)")
        #expect(control.orders == ["switchover to pg2"])
        let head = try await exchange("HEAD /incidents HTTP/1.1", path: path)
        #expect(head.hasSuffix("\r\n\r\n"))
        await group.triggerGracefulShutdown()
        try await run.value
        #expect(stat(path, &status) != 0)
        #expect(stat("\(path).d", &status) != 0)
    }

    @Test("a place where no socket can be is named with the reason")
    func nowhere() async throws {
        let server = ControlServer(path: "/nowhere/control", control: Puppet(), log: silent)
        let error = await #expect(throws: AdminServerError.self) { try await server.run() }
        #expect(error?.reason == "No such file or directory")
        let long = ControlServer(path: "/" + String(repeating: "x", count: 90), control: Puppet(), log: silent)
        await #expect(throws: AdminServerError.self) { try await long.run() }
    }
}

/// Does what it is told, and remembers it.
private final class Puppet: FailoverControl {
    private let told = Mutex<[String]>([])
    private let answer: FailoverAnswer

    init(answer: FailoverAnswer = FailoverAnswer(.done, "as ordered")) {
        self.answer = answer
    }

    var orders: [String] { told.withLock { $0 } }

    private func note(_ order: String) -> FailoverAnswer {
        told.withLock { $0.append(order) }
        return answer
    }

    func report() -> FailoverReport { .sample }
    func incidents() -> [IncidentReport] { [.sample] }
    func incident(_ number: UInt64) -> IncidentReport? { number == 4 ? .sample : nil }
    func switchover(to node: String?) async -> FailoverAnswer { note("switchover to \(node ?? "-")") }
    func rehearsal(of node: String?) -> FailoverAnswer { note("rehearsal of \(node ?? "-")") }
    func force() async -> FailoverAnswer { note("force") }
    func pause() async -> FailoverAnswer { note("pause") }
    func resume() async -> FailoverAnswer { note("resume") }
}

private func exchange(_ head: String, path: String) async throws -> String {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(unixDomainSocketPath: path) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
    return try await channel.executeThenClose { inbound, outbound in
        try await outbound.write(ByteBuffer(string: head + "\r\nhost: test\r\nconnection: close\r\n\r\n"))
        var answer = ByteBuffer()
        for try await part in inbound { answer.writeImmutableBuffer(part) }
        return String(buffer: answer)
    }
}
