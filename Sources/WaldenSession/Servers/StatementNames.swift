import Synchronization

/// Numbers for the statements that pooled sessions prepare, one for each distinct text with its parameter types, what its
/// analysis depended on, and what came of it (`StatementShape`). Shared by all sessions of a process.
///
/// A number is never given to another statement. The table is bounded; a statement that was dropped from it gets a new
/// number when it comes again.
public final class StatementNames: Sendable {
    private struct State {
        var numbers: [[UInt8]: Numbered] = [:]
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

    /// What a key stands for since its text was last parsed.
    struct Numbered: Sendable {
        let number: UInt64
        let shape: StatementShape
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

    /// A number that no other statement has or gets, nor any name on a server.
    func fresh() -> UInt64 {
        state.withLock { $0.take() }
    }

    /// The statement that `key` describes, as it was parsed last.
    func known(_ key: [UInt8]) -> Numbered? {
        state.withLock { $0.numbers[key] }
    }

    /// The number of the statement that `key` describes and that has just been found to have that shape.
    func number(for key: [UInt8], _ shape: StatementShape) -> UInt64 {
        state.withLock { state in
            let known = state.numbers[key]
            if let known, known.shape == shape { return known.number }
            let number = state.take()
            guard key.count <= totalBytes else { return number }
            if known == nil {
                while state.numbers.count >= count || state.bytes + key.count > totalBytes {
                    state.forgetHalf()
                }
                state.order.append(key)
                state.bytes += key.count
            }
            state.numbers[key] = Numbered(number: number, shape: shape)
            return number
        }
    }
}
