import Glibc
import Synchronization

/// A thread of its own for blocking work, so that many clients of one test do not wait for the few threads of the
/// cooperative pool.
public final class BackgroundThread<Value: Sendable>: Sendable {
    private let handle: pthread_t

    public init(_ body: @escaping @Sendable () throws -> Value) throws {
        let work = Work(body)
        var handle = pthread_t()
        let code = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<AnyWork>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, Unmanaged<AnyWork>.passRetained(work).toOpaque())
        guard code == 0 else { throw TestKitError("cannot start a thread: \(String(cString: strerror(code)))") }
        self.handle = handle
        self.work = work
    }

    private let work: Work<Value>

    /// Waits for the thread's end. To be called once.
    public func join() throws -> Value {
        pthread_join(handle, nil)
        guard let result = work.outcome else { throw TestKitError("a thread ended without a result") }
        return try result.get()
    }
}

private class AnyWork {
    func run() {}
}

/// Written by the thread, read after its join: the join orders the two.
private final class Work<Value: Sendable>: AnyWork, @unchecked Sendable {
    private let body: @Sendable () throws -> Value
    private(set) var outcome: Result<Value, any Error>?

    init(_ body: @escaping @Sendable () throws -> Value) {
        self.body = body
    }

    override func run() {
        outcome = Result { try body() }
    }
}

/// Runs `body(0)` to `body(count - 1)` at the same time, each on a thread of its own, and waits for all.
/// The first error, in the order of the indices, is thrown after the last has ended.
public func concurrently<Value: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) throws -> Value
) throws -> [Value] {
    let threads = try (0..<count).map { index in try BackgroundThread { try body(index) } }
    let results = threads.map { thread in Result { try thread.join() } }
    return try results.map { try $0.get() }
}

/// A flag that one thread raises and others read.
public final class Flag: Sendable {
    private let raised = Atomic<Bool>(false)

    public init() {}

    public var isRaised: Bool { raised.load(ordering: .acquiring) }

    public func raise() {
        raised.store(true, ordering: .releasing)
    }
}

/// A count that many threads add to.
public final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    public init() {}

    public var value: Int { count.load(ordering: .relaxed) }

    public func add(_ amount: Int = 1) {
        count.wrappingAdd(amount, ordering: .relaxed)
    }
}
