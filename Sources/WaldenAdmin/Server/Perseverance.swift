import Logging
import ServiceLifecycle
import Synchronization

/// Operators look here when something is wrong, so a server outlives trouble: after it has listened once, whatever makes it
/// stop (a process out of file descriptors, say) has it listen anew. Only the first attempt to listen throws.
enum Perseverance {
    /// Returns when the task is cancelled or asked to shut down gracefully.
    ///
    /// - Parameters:
    ///   - name: For the log.
    ///   - serve: Calls what it is given each time it has begun to listen, and returns when it has stopped.
    ///   - failure: What the first attempt throws.
    static func run(
        _ name: String, log: Logger, retryDelay: Duration,
        _ serve: (_ listening: @escaping @Sendable () -> Void) async throws -> Void,
        failure: (any Error) -> AdminServerError
    ) async throws {
        let hasListened = Flag()
        while true {
            var problem = "it ended by itself"
            do {
                try await serve { hasListened.raise() }
            } catch {
                problem = String(describing: error)
                if !hasListened.isRaised, !isStopping { throw failure(error) }
            }
            if isStopping { return }
            log.error("\(name) stopped, starting it again", metadata: ["reason": "\(problem)"])
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: retryDelay) }
            if isStopping { return }
        }
    }

    private static var isStopping: Bool { Task.isCancelled || Task.isShuttingDownGracefully }

    private final class Flag: Sendable {
        private let value = Atomic(false)

        var isRaised: Bool { value.load(ordering: .relaxed) }

        func raise() {
            value.store(true, ordering: .relaxed)
        }
    }
}
