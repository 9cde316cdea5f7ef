import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import Testing

@testable import WaldenAdmin

private let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

@Suite("Admin server", .timeLimit(.minutes(1)))
struct AdminServerTests {
    @Test("pages are served, with the figures of the moment")
    func pages() async throws {
        let hits = Atomic<UInt64>(0)
        try await withServer(source: { report(hits: hits.add(1, ordering: .relaxed).newValue) }) { port in
            let health = try await exchange("GET /healthz HTTP/1.1", port: port)
            #expect(health.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(health.hasSuffix("\r\n\r\nok\n"))
            let metrics = try await exchange("GET /metrics HTTP/1.1", port: port)
            #expect(metrics.lowercased().contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"))
            #expect(metrics.contains("\nwalden_cache_hits_total 1\n"))
            let status = try await exchange("GET /v1/status?now HTTP/1.1", port: port)
            #expect(status.contains(#""hits":2,"#))
            #expect(try await exchange("GET /readyz HTTP/1.1", port: port).hasPrefix("HTTP/1.1 200 "))
            #expect(try await exchange("GET /nothing HTTP/1.1", port: port).hasPrefix("HTTP/1.1 404 "))
        }
    }

    @Test("HEAD has the length of the body and no body")
    func head() async throws {
        try await withServer(source: { StatusReport() }) { port in
            let answer = try await exchange("HEAD /healthz HTTP/1.1", port: port)
            #expect(answer.lowercased().contains("content-length: 3\r\n"))
            #expect(answer.hasSuffix("\r\n\r\n"))
        }
    }

    @Test("other methods are refused, and what is no HTTP is closed")
    func refusals() async throws {
        try await withServer(source: { StatusReport() }) { port in
            let post = try await exchange("POST /metrics HTTP/1.1\r\ncontent-length: 0", port: port)
            #expect(post.hasPrefix("HTTP/1.1 405 "))
            #expect(post.lowercased().contains("allow: get, head\r\n"))
            _ = try await exchange("\u{0}\u{3}\u{0}\u{0} startup packet", port: port)
            #expect(try await exchange("GET /healthz HTTP/1.1", port: port).hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test("a server that has listened once listens anew when it is stopped by accident")
    func accident() async throws {
        let (channels, continuation) = AsyncStream.makeStream(of: (any Channel).self)
        let server = AdminServer(
            host: "127.0.0.1", port: 0, source: { StatusReport() }, log: silent, retryDelay: .zero
        ) { continuation.yield($0) }
        let run = Task { try await server.run() }
        var iterator = channels.makeAsyncIterator()
        let first = try #require(await iterator.next())
        try await first.close()
        let second = try #require(await iterator.next())
        let port = try #require(second.localAddress?.port)
        #expect(try await exchange("GET /healthz HTTP/1.1", port: port).hasPrefix("HTTP/1.1 200 "))
        run.cancel()
        try await run.value
    }

    @Test("a port that is taken is named with the reason")
    func taken() async throws {
        try await withServer(source: { StatusReport() }) { port in
            let second = AdminServer(host: "127.0.0.1", port: port, source: { StatusReport() }, log: silent)
            let error = await #expect(throws: AdminServerError.self) { try await second.run() }
            #expect(error?.address == "127.0.0.1:\(port)")
            #expect(error?.reason == "Address already in use")
        }
    }

    @Test("an address that is not this machine's is named with the reason")
    func foreign() async throws {
        let server = AdminServer(host: "[2001:db8::1]", port: 6_433, source: { StatusReport() }, log: silent)
        let error = await #expect(throws: AdminServerError.self) { try await server.run() }
        #expect(error?.description.hasPrefix("cannot listen on [2001:db8::1]:6433 for admin requests: ") == true)
    }
}

private func report(hits: UInt64) -> StatusReport {
    var report = StatusReport()
    report.cache.hits = hits
    return report
}

/// Runs a server in a service group while `body` runs, then has the group shut down gracefully.
private func withServer(
    source: @escaping @Sendable () -> StatusReport, _ body: @Sendable (Int) async throws -> Void
) async throws {
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    let server = AdminServer(host: "127.0.0.1", port: 0, source: source, log: silent) { continuation.yield($0) }
    let group = ServiceGroup(configuration: .init(services: [server], logger: silent))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            defer { continuation.finish() }
            try await group.run()
        }
        for await port in ports {
            do {
                try await body(port)
            } catch {
                Issue.record(error)
            }
            await group.triggerGracefulShutdown()
            break
        }
        try await tasks.waitForAll()
    }
}

/// Sends one request on a connection of its own and reads until the server closes it.
private func exchange(_ head: String, port: Int) async throws -> String {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: port) { channel in
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
