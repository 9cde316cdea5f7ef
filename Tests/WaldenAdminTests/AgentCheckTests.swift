import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import WaldenAdmin

private let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

@Suite("The agent check", .timeLimit(.minutes(1)))
struct AgentCheckTests {
    @Test(
        "one line, in HAProxy's words",
        arguments: [
            (AgentState.up, "up ready 100%\n"), (.drain, "drain\n"), (.maintenance, "maint\n"),
            (.down("the primary: Connection refused"), "down #the primary: Connection refused\n"),
            (.down("a\nup ready\r\u{E9}"), "down #a?up ready??\n"), (.down(""), "down #\n"),
            (.down(String(repeating: "x", count: 5_000)), "down #\(String(repeating: "x", count: 200))\n"),
        ])
    func lines(state: AgentState, line: String) {
        #expect(state.line == line)
        #expect(state.line.filter { $0 == "\n" || $0 == "\r" }.count == 1)
    }

    @Test("whoever connects is told and let go, whether it sends anything or not", arguments: ["", "agent-send\n"])
    func served(sent: String) async throws {
        try await withServer(state: { .down("why") }) { port in
            for _ in 0..<3 {
                let answer = try await line(port: port, sending: sent)
                #expect(answer == "down #why\n")
            }
        }
    }

    @Test("more than so many connections find no room, and the next ones do again")
    func bound() async throws {
        try await withServer(patience: .hours(1), state: { .up }) { port in
            // They read nothing and stay.
            var idle: [any Channel] = []
            for _ in 0..<AgentCheckServer.connectionsMaximum {
                idle.append(
                    try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                        .channelOption(.allowRemoteHalfClosure, value: true)
                        .channelOption(.autoRead, value: false).connect(host: "127.0.0.1", port: port).get())
            }
            // The server may have taken this one before the last of those.
            while try await line(port: port, sending: "") != "" { await Task.yield() }
            for channel in idle { try await channel.close() }
            while try await line(port: port, sending: "") != "up ready 100%\n" { await Task.yield() }
        }
    }
}

private func withServer(
    patience: TimeAmount = .seconds(2), state: @escaping @Sendable () -> AgentState,
    _ body: @Sendable (Int) async throws -> Void
) async throws {
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    var server = AgentCheckServer(
        host: "127.0.0.1", port: 0, log: silent, listening: { continuation.yield($0) }, state: state)
    server.patience = patience
    let group = ServiceGroup(configuration: .init(services: [server], logger: silent))
    let run = Task { try await group.run() }
    for await port in ports {
        try await body(port)
        break
    }
    await group.triggerGracefulShutdown()
    try await run.value
}

/// All that comes until the server closes.
private func line(port: Int, sending text: String) async throws -> String {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
    return try await channel.executeThenClose { inbound, outbound in
        if !text.isEmpty { try? await outbound.write(ByteBuffer(string: text)) }
        var answer = ByteBuffer()
        do {
            for try await part in inbound { answer.writeImmutableBuffer(part) }
        } catch let error as IOError where error.errnoCode == 104 {
            // Turned away before it could read.
        }
        return String(buffer: answer)
    }
}
