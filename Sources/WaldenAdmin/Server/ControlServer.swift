// The control socket: HTTP over a Unix-domain socket by which people steer the sentinel. Who may open the file is who may
// order; so it never exists with another mode than 0600: it is bound inside a directory that only its owner may enter, and
// moved to its place when the mode is set.

import Glibc
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import ServiceLifecycle
import Synchronization

public struct ControlServer: Service, CustomStringConvertible {
    private static let connectionsMaximum = 32
    /// A switchover or failover is answered when it is over.
    private static let idleTimeout = TimeAmount.minutes(5)

    private let path: String
    private let control: any FailoverControl
    private let log: Logger
    private let listening: @Sendable () async -> Void

    /// - Parameters:
    ///   - path: What lies there is replaced. At most 90 bytes.
    ///   - listening: Called when the socket is at its place.
    public init(
        path: String, control: any FailoverControl, log: Logger, listening: @escaping @Sendable () async -> Void = {}
    ) {
        self.path = path
        self.control = control
        self.log = log
        self.listening = listening
    }

    public var description: String { "control socket \(path)" }

    /// Serves until the task is cancelled or asked to shut down gracefully.
    ///
    /// - Throws: `AdminServerError` when the socket cannot be made.
    public func run() async throws {
        defer {
            unlink(path)
            rmdir(birthplace)
        }
        try await Perseverance.run("control socket", log: log, retryDelay: .seconds(1)) { listening in
            try makePrivate(birthplace)
            let problem = Mutex<AdminServerError?>(nil)
            try await application(onListening: listening) { failure in problem.withLock { $0 = failure } }.run()
            if let problem = problem.withLock({ $0 }) { throw problem }
        } failure: {
            $0 as? AdminServerError ?? AdminServerError(address: path, underlying: $0)
        }
    }

    /// Where the socket is bound.
    private var birthplace: String { "\(path).d" }

    private func makePrivate(_ directory: String) throws(AdminServerError) {
        guard path.utf8.count <= 90 else {
            throw AdminServerError(address: path, reason: "the path is longer than 90 bytes: no socket can be there")
        }
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST, chmod(directory, 0o700) == 0 else {
            throw AdminServerError(address: directory, reason: String(cString: strerror(errno)))
        }
    }

    private func application(
        onListening: @escaping @Sendable () -> Void, failed: @escaping @Sendable (AdminServerError) -> Void
    ) -> some ApplicationProtocol {
        let bound = "\(birthplace)/s"
        var quiet = log
        quiet.logLevel = max(log.logLevel, .warning)
        return Application(
            responder: CallbackResponder<BasicRequestContext> { [control, log] request, _ in
                if request.method == .post { log.notice("ordered", metadata: ["request": "\(request.uri)"]) }
                let answer = await ControlAnswer.of(
                    method: request.method.rawValue, path: request.uri.path, query: request.uri.query,
                    control: control)
                return Response(answer, to: request)
            },
            server: .http1(configuration: .init(idleTimeout: Self.idleTimeout)),
            configuration: ApplicationConfiguration(
                address: .unixDomainSocket(path: bound),
                availableConnectionsDelegate: .maximum(Self.connectionsMaximum, logger: quiet)),
            onServerRunning: { [path, log, listening] channel in
                guard chmod(bound, 0o600) == 0, rename(bound, path) == 0 else {
                    failed(AdminServerError(address: path, reason: String(cString: strerror(errno))))
                    try? await channel.close()
                    return
                }
                log.info("listening for orders", metadata: ["socket": "\(path)"])
                onListening()
                await listening()
            },
            logger: quiet
        )
    }
}

extension Response {
    fileprivate init(_ answer: ControlAnswer, to request: Request) {
        var headers: HTTPFields = [.contentType: answer.contentType, .cacheControl: "no-store"]
        headers[.allow] = answer.allow
        let full = Response(
            status: .init(code: answer.status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: answer.body)))
        self = request.method == .head ? full.createHeadResponse() : full
    }
}
