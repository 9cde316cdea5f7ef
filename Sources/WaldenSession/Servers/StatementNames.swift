import Synchronization

/// Numbers for the statements that pooled sessions prepare, one for each distinct text with its parameter types and
/// what its analysis depended on. Shared by all sessions of a process.
///
/// A number is never given to another statement, so a server that holds `walden_<number>` holds that statement. The
/// table is bounded; a statement that was dropped from it gets a new number when it comes again.
public final class StatementNames: Sendable {
    private struct State {
        var numbers: [[UInt8]: UInt64] = [:]
        /// The keys of `numbers`, oldest first.
        var order: [[UInt8]] = []
        var bytes = 0
        var next: UInt64 = 1

        mutating func take() -> UInt64 {
            defer { next &+= 1 }
            return next
        }

        mutating func forgetHalf() {
            let half = (order.count + 1) / 2
            for old in order.prefix(half) {
                numbers[old] = nil
                bytes -= old.count
            }
            order.removeFirst(half)
        }
    }

    private let state = Mutex(State())
    private let count: Int
    private let totalBytes: Int

    /// - Parameters:
    ///   - count: Statements that keep their number.
    ///   - totalBytes: Of their texts.
    public init(count: Int = 20_000, totalBytes: Int = 64 << 20) {
        self.count = count
        self.totalBytes = totalBytes
    }

    /// A number that no other statement has or gets.
    func fresh() -> UInt64 {
        state.withLock { $0.take() }
    }

    /// The number of the statement that `key` describes.
    func number(for key: [UInt8]) -> UInt64 {
        state.withLock { state in
            if let known = state.numbers[key] { return known }
            let number = state.take()
            guard key.count <= totalBytes else { return number }
            while state.numbers.count >= count || state.bytes + key.count > totalBytes {
                state.forgetHalf()
            }
            state.numbers[key] = number
            state.order.append(key)
            state.bytes += key.count
            return number
        }
    }

    /// The statement's text no longer means what it did when it got its number.
    func forget(_ key: [UInt8]) {
        state.withLock { state in
            guard state.numbers.removeValue(forKey: key) != nil else { return }
            state.bytes -= key.count
            state.order.removeAll { $0 == key }
        }
    }
}
