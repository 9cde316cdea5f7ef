import WaldenDependency

/// Hashes of column values, keyed anew in each process.
///
/// The index files entries under hashes alone and stores no values: equal values have equal hashes, so no entry is
/// missed, and two values that share 64 bits would merely drop an entry needlessly. Clients do not know the key, so
/// they cannot construct such values.
enum ValueHash {
    static let null: UInt64 = {
        var hasher = Hasher()
        hasher.combine(UInt8(2))
        return hasher.value
    }()

    /// Of no columns at all.
    static let empty: UInt64 = 0

    static func of(_ value: Value) -> UInt64 {
        var hasher = Hasher()
        switch value {
        case .integer(let integer):
            hasher.combine(UInt8(0))
            hasher.combine(integer)
        case .bytes(let bytes):
            hasher.combine(UInt8(1))
            bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        }
        return hasher.value
    }

    /// Adds the next column's hash to a tuple's. The parts are keyed hashes already, so mixing is all it takes.
    @inline(__always)
    static func combine(_ tuple: UInt64, _ column: UInt64) -> UInt64 {
        let product = (tuple ^ column).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return product.high ^ product.low &+ column
    }
}

extension Hasher {
    fileprivate var value: UInt64 {
        UInt64(bitPattern: Int64(finalize()))
    }
}
