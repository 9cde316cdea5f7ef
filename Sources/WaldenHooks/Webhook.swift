import AsyncHTTPClient
import FoundationEssentials
import Logging
import NIOCore
import NIOHTTP1
import WaldenPostgres

/// An address that events are POSTed to, as JSON.
public struct Webhook: Sendable {
    public var url: String
    /// For one attempt.
    public var timeout = Duration.seconds(5)
    public var attempts = 5
    /// Before the second attempt; doubled from each to the next.
    public var pause = Duration.seconds(1)
    /// Sent along; may hold a secret.
    public var headers: [(name: String, value: String)] = []

    private static let pauseMaximum = Duration.seconds(30)
    private static let answerMaximum = 16_384

    public init(url: String) {
        self.url = url
    }

    /// Tries until an answer is final; true when it was one of success.
    func tell(_ event: HookEvent, by client: HTTPClient, log: Logger) async -> Bool {
        var backoff = Backoff(
            initial: pause, maximum: max(pause, Self.pauseMaximum), seed: UInt64(bitPattern: event.at))
        for attempt in 1...max(attempts, 1) {
            let problem: String
            switch await attemptOnce(event, client) {
            case .delivered: return true
            case .hopeless(let reason):
                log.warning(
                    "webhook refused an event", metadata: ["event": "\(event.event.rawValue)", "why": "\(reason)"])
                return false
            case .failed(let reason): problem = reason
            }
            log.info(
                "webhook did not take an event",
                metadata: ["event": "\(event.event.rawValue)", "attempt": "\(attempt)", "why": "\(problem)"])
            guard attempt < attempts, (try? await Task.sleep(for: backoff.failed())) != nil else { break }
        }
        log.warning("webhook was not told of an event", metadata: ["event": "\(event.event.rawValue)"])
        return false
    }

    private enum Answer {
        case delivered
        /// Another attempt would end alike.
        case hopeless(String)
        case failed(String)
    }

    private func attemptOnce(_ event: HookEvent, _ client: HTTPClient) async -> Answer {
        do {
            var request = HTTPClientRequest(url: url)
            request.method = .POST
            request.headers.add(name: "content-type", value: "application/json")
            for header in headers { request.headers.replaceOrAdd(name: header.name, value: header.value) }
            request.body = .bytes(Array(try JSONEncoder().encode(event)))
            let limit = TimeAmount(timeout)
            let response = try await client.execute(request, timeout: limit)
            _ = try? await response.body.collect(upTo: Self.answerMaximum)
            switch response.status.code {
            case 200..<300: return .delivered
            // Too slow, too early, too many: these pass.
            case 408, 425, 429, 500...: return .failed("HTTP status \(response.status.code)")
            default: return .hopeless("HTTP status \(response.status.code)")
            }
        } catch {
            return .failed("\(error)")
        }
    }
}
