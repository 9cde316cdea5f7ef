import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOSSL
public import WaldenRejoin

/// Where an agent is.
public enum AgentAddress: Hashable, Sendable {
    /// PEM files: our certificate and key, and the authority that the agent's own certificate is verified by.
    public struct TLSFiles: Hashable, Sendable {
        public var certificate: String
        public var key: String
        public var authority: String

        public init(certificate: String, key: String, authority: String) {
            self.certificate = certificate
            self.key = key
            self.authority = authority
        }
    }

    case tls(host: String, port: Int, TLSFiles)
    case socket(path: String)
}

/// Why an agent did not do something.
public enum AgentClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It will not be done, whoever asks: a lower term, a request that makes no sense.
    case refused(String)
    /// It may or may not have been done.
    case failed(String)

    public var description: String {
        switch self {
        case .refused(let reason), .failed(let reason): reason
        }
    }
}

/// Asks an agent. Every call ends within a time.
public final class AgentClient: Sendable {
    private let client: HTTPClient
    private let base: String

    /// For an answer that needs no work.
    private static let askTimeout = TimeAmount.seconds(10)
    /// A server is given five seconds to stop at once, and what is left is killed.
    private static let fenceTimeout = TimeAmount.seconds(45)
    private static let bodyMaximum = 1 << 20
    private static let pollInterval = Duration.milliseconds(250)
    /// A job is lost when the agent has not answered for so long: it may be restarted meanwhile.
    private static let absenceMaximum = Duration.seconds(60)

    /// - Throws: when the certificates cannot be used.
    public init(_ address: AgentAddress) throws(AgentClientError) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(3), read: .seconds(60)),
            connectionPool: .init(idleTimeout: .seconds(30)))
        // It would try again what was sent already.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        switch address {
        case .tls(let host, let port, let files):
            do {
                configuration.tlsConfiguration = try Self.configuration(files)
            } catch {
                throw .refused("the certificates for the agent cannot be used: \(error)")
            }
            base = "https://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case .socket(let path):
            let encoded = path.utf8.map { byte in
                let isPlain =
                    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                let digits = String(byte, radix: 16, uppercase: true)
                return isPlain ? String(UnicodeScalar(byte)) : "%" + (digits.count < 2 ? "0" : "") + digits
            }
            base = "http+unix://\(encoded.joined())"
        }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Must be called before the last reference goes.
    public func shutDown() async {
        try? await client.shutdown()
    }

    public func status() async throws(AgentClientError) -> AgentStatus {
        try await ask(.GET, "/", within: Self.askTimeout)
    }

    /// Returns when the server is stopped. A lower term than the agent has heard of is refused.
    public func fence(term: UInt64) async throws(AgentClientError) -> AgentStatus {
        try await ask(.POST, "/fence?term=\(term)", within: Self.fenceTimeout)
    }

    /// Takes a fence back that was followed by no failover. The server is not started.
    public func unfence(term: UInt64) async throws(AgentClientError) -> AgentStatus {
        try await ask(.POST, "/unfence?term=\(term)", within: Self.askTimeout)
    }

    /// Begins a rejoin and waits for its end, through restarts of the agent.
    ///
    /// - Throws: `failed` when it failed or takes longer than `timeout`; then it goes on at the agent.
    public func rejoin(_ request: RejoinRequest, within timeout: Duration) async throws(AgentClientError) -> JobReport {
        try await finished(begun("/rejoin", request), within: timeout)
    }

    public func start(within timeout: Duration) async throws(AgentClientError) -> JobReport {
        try await finished(begun("/start"), within: timeout)
    }

    public func stop(within timeout: Duration) async throws(AgentClientError) -> JobReport {
        try await finished(begun("/stop"), within: timeout)
    }

    public func job(_ id: UInt64) async throws(AgentClientError) -> JobReport {
        try await ask(.GET, "/job/\(id)", within: Self.askTimeout)
    }

    /// Begins a rejoin; its job.
    public func beginRejoin(_ request: RejoinRequest) async throws(AgentClientError) -> JobReport {
        try await begun("/rejoin", request)
    }

    // MARK: Asking

    private func begun(_ path: String, _ request: RejoinRequest? = nil) async throws(AgentClientError) -> JobReport {
        try await ask(.POST, path, request, within: Self.askTimeout)
    }

    /// Waits for the end of a job.
    public func finished(_ job: JobReport, within timeout: Duration) async throws(AgentClientError) -> JobReport {
        let deadline = ContinuousClock.now + timeout
        var heardAt = ContinuousClock.now
        var problem = ""
        while ContinuousClock.now < deadline {
            do throws(AgentClientError) {
                let now = try await self.job(job.id)
                switch now.state {
                case .done: return now
                case .failed: throw AgentClientError.refused(now.problem ?? "no reason is given")
                case .running: heardAt = .now
                }
            } catch .failed(let reason) {
                problem = ": \(reason)"
                guard ContinuousClock.now - heardAt < Self.absenceMaximum else { break }
            } catch .refused(let reason) {
                throw .failed("job \(job.id): \(reason)")
            }
            do {
                try await Task.sleep(for: Self.pollInterval)
            } catch {
                throw .failed("job \(job.id) is not waited for any more")
            }
        }
        throw .failed("job \(job.id) has not ended in time\(problem)")
    }

    private func ask<Answer: Decodable>(
        _ method: HTTPMethod, _ path: String, _ body: RejoinRequest? = nil, within timeout: TimeAmount
    ) async throws(AgentClientError) -> Answer {
        let status: UInt
        let bytes: ByteBuffer
        do {
            var request = HTTPClientRequest(url: base + path)
            request.method = method
            if let body {
                request.headers.add(name: "content-type", value: "application/json")
                request.body = .bytes(Array(try JSONEncoder().encode(body)))
            }
            let response = try await client.execute(request, timeout: timeout)
            status = response.status.code
            bytes = try await response.body.collect(upTo: Self.bodyMaximum)
        } catch {
            // The library's errors name neither bodies nor keys.
            throw .failed("the agent at \(base) does not answer: \(error)")
        }
        let data = Data(bytes.readableBytesView)
        if (200..<300).contains(status) {
            if let answer = try? JSONDecoder().decode(Answer.self, from: data) { return answer }
            throw .failed("the agent at \(base) answers what is not understood")
        }
        let reason = (try? JSONDecoder().decode(AgentRefusal.self, from: data))?.error ?? "HTTP status \(status)"
        throw (400..<500).contains(status) ? .refused(reason) : .failed(reason)
    }

    private static func configuration(_ files: AgentAddress.TLSFiles) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.trustRoots = .file(files.authority)
        configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(files.certificate).map { .certificate($0) }
        configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: files.key, format: .pem))
        return configuration
    }
}
