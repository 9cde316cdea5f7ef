import Synchronization

/// Numbers that stand for session fingerprints in cache keys. A number is never given to another fingerprint.
final class FingerprintTable: Sendable {
    private let numbers = Mutex<[[UInt8]: UInt64]>([:])
    private let limit: Int

    /// - Parameter limit: Fingerprints known at most; sessions with others bypass the cache.
    init(limit: Int = 65_536) {
        self.limit = limit
    }

    func number(for fingerprint: [UInt8]) -> UInt64? {
        numbers.withLock { numbers in
            if let number = numbers[fingerprint] { return number }
            guard numbers.count < limit else { return nil }
            let number = UInt64(numbers.count)
            numbers[fingerprint] = number
            return number
        }
    }
}
