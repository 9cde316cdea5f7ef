// The agent's HTTP server: a request becomes a route, a route a call of `Agent`, and what that gives a JSON document.
// Whoever gets here is trusted: over TCP by a certificate, at the socket by the file's mode.

import FoundationEssentials
import Glibc
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
public import Logging
import NIOCore
import NIOSSL
public import ServiceLifecycle
import WaldenPostgres
import WaldenRejoin

public struct AgentServer: Service, CustomStringConvertible {
    /// Connections open at one time.
    private static let connectionsMaximum = 32
    /// For a connection that sends nothing.
    private static let idleTimeout = TimeAmount.seconds(60)
    private static let bodyMaximum = 65_536

    private let agent: Agent
    private let server: HTTPServerBuilder
    private let listening: @Sendable (String) async -> Void
    private let log: Logger

    /// - Parameter listening: Called with the address once it listens.
    /// - Throws: when the certificates cannot be used.
    public init(
        _ agent: Agent, log: Logger, listening: @escaping @Sendable (String) async -> Void = { _ in }
    ) throws(AgentError) {
        self.agent = agent
        self.log = log
        self.listening = listening
        let plain = HTTPServerBuilder.http1(configuration: .init(idleTimeout: Self.idleTimeout))
        switch agent.options.listening {
        case .socket: server = plain
        case .tls(_, _, let files):
            do {
                server = try .tls(plain, tlsConfiguration: Self.configuration(files))
            } catch {
                throw .refused("the certificates cannot be used: \(error)")
            }
        }
    }

    public var description: String { "agent's server" }

    /// Serves until asked to shut down; goes on with an interrupted rejoin first.
    public func run() async throws {
        try await onThread { [agent] () throws(AgentError) in try agent.resume() }
        var failure: (any Error)?
        do {
            try await application.run()
        } catch {
            failure = error
        }
        try await onThread { [agent] () throws(AgentError) in agent.shutDown() }
        if let failure { throw AgentError.failed("cannot serve on \(address): \(failure)") }
    }

    private static func configuration(_ files: AgentOptions.TLSFiles) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfigurationWithMTLS(
            certificateChain: try NIOSSLCertificate.fromPEMFile(files.certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: files.key, format: .pem)),
            trustRoots: .file(files.clientAuthority))
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }

    private var address: String {
        switch agent.options.listening {
        case .tls(let host, let port, _): "\(host):\(port)"
        case .socket(let path): path
        }
    }

    private var application: some ApplicationProtocol {
        // The library tells of its starts and stops at `info`.
        var quiet = log
        quiet.logLevel = max(log.logLevel, .warning)
        let bind: BindAddress =
            switch agent.options.listening {
            case .tls(let host, let port, _): .hostname(host, port: port)
            case .socket(let path): .unixDomainSocket(path: path)
            }
        return Application(
            responder: CallbackResponder<BasicRequestContext> { request, _ in await answer(request) },
            server: server,
            configuration: ApplicationConfiguration(
                address: bind, availableConnectionsDelegate: .maximum(Self.connectionsMaximum, logger: quiet)),
            onServerRunning: { channel in
                // The process's umask has kept others out until here.
                if case .socket(let path) = agent.options.listening { chmod(path, 0o600) }
                let port = channel.localAddress?.port.map { ":\($0)" } ?? ""
                log.notice("the agent listens", metadata: ["address": "\(address)"])
                await listening(port.isEmpty ? address : port)
            },
            logger: quiet)
    }

    // MARK: Answers

    private func answer(_ request: Request) async -> Response {
        let route = AgentRoute(method: request.method.rawValue, path: request.uri.path, query: request.uri.query)
        do throws(AgentError) {
            switch route {
            case .wrong(let status, let text): return Self.response(status, AgentRefusal(error: text))
            case .status: return Self.response(200, try await onThread(agent.status))
            case .job(let id):
                guard let job = agent.job(id) else {
                    return Self.response(404, AgentRefusal(error: "job \(id) is not the newest"))
                }
                return Self.response(200, job)
            case .fence(let term):
                return Self.response(
                    200, try await onThread { [agent] () throws(AgentError) in try agent.fence(term: term) })
            case .unfence(let term):
                return Self.response(
                    200, try await onThread { [agent] () throws(AgentError) in try agent.unfence(term: term) })
            case .rejoin:
                guard let wanted = await Self.rejoin(in: request) else {
                    return Self.response(400, AgentRefusal(error: "the body is no request for a rejoin"))
                }
                return Self.response(
                    202, try await onThread { [agent] () throws(AgentError) in try agent.rejoin(wanted) })
            case .start: return Self.response(202, try await onThread(agent.start))
            case .stop: return Self.response(202, try await onThread(agent.stop))
            }
        } catch {
            if error.kind != .refused { log.error("not done", metadata: ["why": "\(error)"]) }
            return Self.response(error.kind == .refused ? 409 : 500, AgentRefusal(error: "\(error)"))
        }
    }

    private static func rejoin(in request: Request) async -> RejoinRequest? {
        var request = request
        guard let body = try? await request.collectBody(upTo: bodyMaximum) else { return nil }
        return try? JSONDecoder().decode(RejoinRequest.self, from: Data(body.readableBytesView))
    }

    private static func response(_ status: Int, _ value: some Encodable) -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = (try? encoder.encode(value)).map(Array.init) ?? Array("{}".utf8)
        return Response(
            status: .init(code: status), headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes + Array("\n".utf8))))
    }
}

/// Runs what blocks on a thread of its own.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws(AgentError) -> Value) async throws(AgentError)
    -> Value
{
    let result: Result<Value, AgentError> = await withCheckedContinuation { continuation in
        do throws(PostgresError) {
            _ = try OwnedThread(name: "walden-agent") {
                do throws(AgentError) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        } catch {
            continuation.resume(returning: .failure(.failed("\(error)")))
        }
    }
    return try result.get()
}
