// The HTTP server of the admin port. It holds no knowledge of its own: a request becomes an `AdminAnswer`, which is made
// from a report taken at that moment. It installs no signal handlers and logs no requests.

import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import ServiceLifecycle

public struct AdminServer: Service, CustomStringConvertible {
    /// Connections open at one time; more wait in the listen queue.
    private static let connectionsMaximum = 128
    /// A connection that sends nothing for so long is closed.
    private static let idleTimeout = TimeAmount.seconds(60)

    private let host: String
    private let port: Int
    private let source: @Sendable () -> StatusReport
    private let questions: AdminQuestions
    private let listening: @Sendable (any Channel) async -> Void
    private let log: Logger
    private let retryDelay: Duration

    /// - Parameters:
    ///   - host: a name or an address, IPv6 with or without brackets.
    ///   - port: 0 to have the system choose one.
    ///   - source: takes the figures; called once for each request that shows figures, from any thread.
    ///   - questions: answers what is asked beside the figures; nil: such pages are empty.
    ///   - listening: called with the port each time the server has begun to listen.
    public init(
        host: String, port: Int, source: @escaping @Sendable () -> StatusReport, questions: AdminQuestions? = nil,
        log: Logger,
        listening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.init(
            host: host, port: port, source: source, questions: questions, log: log, retryDelay: .seconds(1)
        ) { channel in
            await listening(channel.localAddress?.port ?? 0)
        }
    }

    /// - Parameters:
    ///   - retryDelay: how long to wait before listening anew.
    ///   - listening: called with the channel that listens.
    init(
        host: String, port: Int, source: @escaping @Sendable () -> StatusReport, questions: AdminQuestions? = nil,
        log: Logger, retryDelay: Duration,
        listening: @escaping @Sendable (any Channel) async -> Void
    ) {
        self.host = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        self.port = port
        self.source = source
        self.questions = questions ?? .none
        self.log = log
        self.retryDelay = retryDelay
        self.listening = listening
    }

    public var description: String { "admin server on \(address(port: port))" }

    /// Serves until the task is cancelled or asked to shut down gracefully.
    ///
    /// - Throws: `AdminServerError` when the address cannot be listened on.
    public func run() async throws {
        try await Perseverance.run("admin server", log: log, retryDelay: retryDelay) { listening in
            try await application(onListening: listening).run()
        } failure: {
            AdminServerError(address: address(port: port), underlying: $0)
        }
    }

    private func address(port: Int) -> String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }

    private func application(onListening: @escaping @Sendable () -> Void) -> some ApplicationProtocol {
        // The library tells of its starts and stops at `info`, which is below what this log is for.
        var quiet = log
        quiet.logLevel = max(log.logLevel, .warning)
        return Application(
            responder: CallbackResponder<BasicRequestContext> { [source, questions] request, _ in
                let answer = AdminAnswer(
                    method: request.method.rawValue, path: request.uri.path, query: request.uri.query,
                    questions: questions, source: source)
                return Response(answer, to: request)
            },
            server: .http1(configuration: .init(idleTimeout: Self.idleTimeout)),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: .maximum(Self.connectionsMaximum, logger: quiet)
            ),
            onServerRunning: { channel in
                onListening()
                let address = address(port: channel.localAddress?.port ?? port)
                log.info("listening for admin requests", metadata: ["address": "\(address)"])
                await listening(channel)
            },
            logger: quiet
        )
    }
}

extension Response {
    fileprivate init(_ answer: AdminAnswer, to request: Request) {
        var headers: HTTPFields = [.contentType: answer.contentType, .cacheControl: "no-store"]
        headers[.allow] = answer.allow
        let full = Response(
            status: .init(code: answer.status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: answer.body))
        )
        self = request.method == .head ? full.createHeadResponse() : full
    }
}
