import AsyncHTTPClient
public import Logging
import NIOCore
import Synchronization

/// Tells hooks of events, without ever keeping waiting who tells them. Each hook gets the events in their order, from a queue
/// of its own: when that is full, the oldest is dropped and counted.
public final class EventHooks: Sendable {
    /// What became of the events, of all hooks together.
    public struct Figures: Hashable, Sendable {
        /// Each event counts once for each hook.
        public var posted = 0
        public var told = 0
        /// Given up: the program failed, or the address took none of the attempts.
        public var failed = 0
        /// Pushed out of a full queue, or left when the process ended.
        public var dropped = 0
    }

    private struct Line: Sendable {
        let events: AsyncStream<HookEvent>.Continuation
        let work: Task<Void, Never>
    }

    private let lines: [Line]
    private let client: HTTPClient?
    private let counts: Counts

    /// So that the lines' tasks hold no reference to their owner.
    private final class Counts: Sendable {
        let figures = Mutex(Figures())

        func count(_ change: @Sendable (inout Figures) -> Void) {
            figures.withLock { change(&$0) }
        }
    }

    /// - Parameter queueMaximum: Events that wait for one hook.
    public init(commands: [CommandHook], webhooks: [Webhook], queueMaximum: Int = 256, log: Logger) {
        let counts = Counts()
        var lines = commands.map { command in
            Self.line(queueMaximum, counts) { await command.tell($0, log: log) }
        }
        if webhooks.isEmpty {
            client = nil
        } else {
            let client = HTTPClient(
                eventLoopGroupProvider: .singleton,
                configuration: .init(redirectConfiguration: .disallow, timeout: .init(connect: .seconds(3))))
            lines += webhooks.map { webhook in
                Self.line(queueMaximum, counts) { await webhook.tell($0, by: client, log: log) }
            }
            self.client = client
        }
        self.lines = lines
        self.counts = counts
    }

    public var figures: Figures { counts.figures.withLock { $0 } }

    /// Never waits.
    public func post(_ event: HookEvent) {
        for line in lines {
            counts.count { $0.posted += 1 }
            switch line.events.yield(event) {
            case .enqueued: break
            case .dropped, .terminated: counts.count { $0.dropped += 1 }
            @unknown default: break
            }
        }
    }

    /// Tells what waits still, for at most so long; what is left is dropped. Must be called before the last reference goes.
    public func shutDown(within limit: Duration) async {
        for line in lines { line.events.finish() }
        let lines = lines
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for line in lines { await line.work.value }
            }
            group.addTask {
                try? await Task.sleep(for: limit)
                guard !Task.isCancelled else { return }
                for line in lines { line.work.cancel() }
            }
            await group.next()
            group.cancelAll()
        }
        counts.count { $0.dropped = $0.posted - $0.told - $0.failed }
        try? await client?.shutdown()
    }

    private static func line(
        _ maximum: Int, _ counts: Counts, _ tell: @escaping @Sendable (HookEvent) async -> Bool
    ) -> Line {
        let (stream, events) = AsyncStream.makeStream(
            of: HookEvent.self, bufferingPolicy: .bufferingNewest(max(maximum, 1)))
        let work = Task {
            for await event in stream {
                let isTold = await tell(event)
                counts.count { figures in
                    if isTold { figures.told += 1 } else { figures.failed += 1 }
                }
            }
        }
        return Line(events: events, work: work)
    }
}
