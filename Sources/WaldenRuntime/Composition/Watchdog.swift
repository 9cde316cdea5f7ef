import Glibc
import NIOCore
import ServiceLifecycle
import Synchronization

/// Feeds systemd's watchdog (`WatchdogSec`) as long as every event loop answers: a loop that hangs keeps its clients waiting
/// for ever, and a process of which a part hangs is better begun anew. It runs on the cooperative pool, so that this must
/// answer as well.
///
/// The first of the services, so that it is stopped as the last: sessions are drained meanwhile.
struct Watchdog: ServiceLifecycle.Service {
    private let check: LoopCheck
    private let interval: Duration?

    /// - Parameter group: The loops that serve clients.
    init(group: any EventLoopGroup) {
        check = LoopCheck(Array(group.makeIterator()))
        interval = Self.interval(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"))
    }

    /// Returns at shutdown, and feeds nobody where systemd asks for no watchdog.
    func run() async throws {
        guard let interval else {
            try? await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: interval)) != nil {
                if check.isAnswered() { ServiceNotifier.notify("WATCHDOG=1") }
            }
        }
    }

    private static func interval(
        _ microseconds: UnsafeMutablePointer<CChar>?, _ process: UnsafeMutablePointer<CChar>?
    ) -> Duration? {
        interval(microseconds.map { String(cString: $0) }, process.map { String(cString: $0) }, of: getpid())
    }

    /// A quarter of systemd's time, so that a late round does no harm; nil when it is not for this process.
    static func interval(_ microseconds: String?, _ process: String?, of pid: pid_t) -> Duration? {
        guard let time = microseconds.flatMap({ Int64($0) }), time > 0 else { return nil }
        if let process, pid_t(process) != pid { return nil }
        return .microseconds(max(time / 4, 1_000))
    }
}

/// Asks event loops whether they answer, without waiting for them.
final class LoopCheck: Sendable {
    /// One question to every loop.
    private final class Round: Sendable {
        private let left: Atomic<Int>

        init(_ loops: [any EventLoop]) {
            left = Atomic(loops.count)
            for loop in loops { loop.execute { self.left.subtract(1, ordering: .relaxed) } }
        }

        var isAnswered: Bool { left.load(ordering: .relaxed) == 0 }
    }

    private let loops: [any EventLoop]
    private let round: Mutex<Round>

    init(_ loops: [any EventLoop]) {
        self.loops = loops
        round = Mutex(Round(loops))
    }

    /// Whether all have answered since they were asked; then they are asked anew. Of a loop that hangs one question waits,
    /// however often this is called.
    func isAnswered() -> Bool {
        round.withLock { round in
            guard round.isAnswered else { return false }
            round = Round(loops)
            return true
        }
    }
}
