import Glibc

/// Calls `condition` until it is true; throws when that takes longer than `timeout`.
///
/// The pause between two looks grows from 1 ms to 50 ms. An error that the condition throws counts as "not yet" and is
/// named when the time runs out.
public func eventually(
    _ what: String, timeout: Duration = .seconds(15), _ condition: () throws -> Bool
) throws {
    _ = try awaitValue(what, timeout: timeout) { try condition() ? true : nil }
}

/// Calls `produce` until it gives a value, and returns that; throws when that takes longer than `timeout`.
public func awaitValue<Value>(
    _ what: String, timeout: Duration = .seconds(15), _ produce: () throws -> Value?
) throws -> Value {
    let deadline = ContinuousClock.now + timeout
    var pauseMicroseconds: UInt32 = 1000
    var lastError: (any Error)?
    while true {
        do {
            if let value = try produce() { return value }
            lastError = nil
        } catch {
            lastError = error
        }
        guard ContinuousClock.now < deadline else { break }
        usleep(pauseMicroseconds)
        pauseMicroseconds = min(pauseMicroseconds * 2, 50_000)
    }
    let reason = lastError.map { ": \($0)" } ?? ""
    throw TestKitError("not within \(timeout): \(what)\(reason)")
}

extension Duration {
    /// Milliseconds, rounded up and at least zero, as `poll` wants them.
    var pollMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        let milliseconds = seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return Int32(clamping: max(0, milliseconds))
    }

    /// Seconds as a fraction, for figures shown to people.
    public var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}

/// Tries until nothing is thrown.
public func soon(_ what: String, timeout: Duration = .seconds(30), _ body: () async throws -> Void) async throws {
    let deadline = ContinuousClock.now + timeout
    while true {
        do {
            return try await body()
        } catch {
            guard ContinuousClock.now < deadline else { throw TestKitError("not within \(timeout): \(what): \(error)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
