extension UnsafeRawBufferPointer {
    /// Keyed anew in each process, so that no client can choose keys that collide.
    var keyHash: UInt64 {
        var hasher = Hasher()
        hasher.combine(bytes: self)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    /// Whether the bytes are those of `key`, compared a word at a time.
    func equals(_ key: [UInt8]) -> Bool {
        guard count == key.count else { return false }
        return key.withUnsafeBytes { other in
            var offset = 0
            while offset + 8 <= count {
                if loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    != other.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                {
                    return false
                }
                offset += 8
            }
            while offset < count {
                if self[offset] != other[offset] { return false }
                offset += 1
            }
            return true
        }
    }
}

extension [UInt8] {
    var keyHash: UInt64 { withUnsafeBytes { $0.keyHash } }

    /// Without the room that appending left behind the last byte.
    var trimmed: [UInt8] {
        guard capacity - count > 16 else { return self }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = buffer.initialize(fromContentsOf: self)
        }
    }
}
