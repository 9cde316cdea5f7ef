internal import CLibPQ
internal import Glibc
internal import Synchronization

/// A POSIX thread for code that blocks in C. libpq waits on sockets, and a wait must never hold a thread of the
/// cooperative pool or an event loop.
package final class OwnedThread: Sendable {
    private final class Body {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    private let handle: Mutex<pthread_t?>

    /// Starts the thread. `name` is what `top -H` and `ps -L` show, at most 15 bytes.
    package init(name: String, _ run: @escaping @Sendable () -> Void) throws(PostgresError) {
        var thread = pthread_t()
        let body = Unmanaged.passRetained(Body(run))
        let status = pthread_create(&thread, nil, Self.enter, body.toOpaque())
        guard status == 0 else {
            body.release()
            throw PostgresError(.resources, "cannot start a thread: \(SystemFailure.text(status))")
        }
        waldenNameThread(thread, String(name.prefix(15)))
        handle = Mutex(thread)
    }

    private static let enter: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        guard let argument else { return nil }
        Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
        return nil
    }

    /// Waits until the body has returned. Returns at once on the thread itself and when somebody else has waited.
    package func join() {
        let thread = handle.withLock { handle -> pthread_t? in
            guard let thread = handle, pthread_equal(thread, pthread_self()) == 0 else { return nil }
            handle = nil
            return thread
        }
        if let thread { pthread_join(thread, nil) }
    }

    deinit {
        if let thread = handle.withLock({ $0 }) { pthread_detach(thread) }
    }
}

enum SystemFailure {
    /// The system's words for an `errno` value.
    static func text(_ code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
