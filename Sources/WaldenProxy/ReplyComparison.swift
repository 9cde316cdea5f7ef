import NIOCore
public import WaldenCache
public import WaldenDependency

/// Compares a kept reply with one read anew.
public enum ReplyComparison {
    /// Whether both payloads, which the proxy gave to the cache, agree as closely as `grade` demands. Messages other than
    /// DataRow, which describe the columns and count the rows, must be equal in any case.
    public static func agree(_ left: Payload, _ right: Payload, grade: AuditGrade) -> Bool {
        guard let left = left as? CachedReply, let right = right as? CachedReply else { return true }
        return agree(left.bytes, right.bytes, grade: grade)
    }

    static func agree(_ left: [UInt8], _ right: [UInt8], grade: AuditGrade) -> Bool {
        if grade == .none || left == right { return true }
        guard let left = Reply(left), let right = Reply(right), left.others == right.others else { return false }
        switch grade {
        case .none: return true
        case .count: return left.rows.count == right.rows.count
        case .rows: return left.sortedRows.elementsEqual(right.sortedRows, by: ==)
        }
    }

    private struct Reply {
        var rows: [ArraySlice<UInt8>] = []
        var others: [ArraySlice<UInt8>] = []

        /// Nil when the bytes are no whole messages.
        init?(_ bytes: [UInt8]) {
            var position = 0
            while position < bytes.count {
                guard position + 5 <= bytes.count else { return nil }
                let length = bytes[(position + 1)..<(position + 5)].reduce(0) { $0 << 8 | Int($1) }
                guard length >= 4, length < bytes.count - position else { return nil }
                let end = position + 1 + length
                if bytes[position] == UInt8(ascii: "D") {
                    rows.append(bytes[position..<end])
                } else {
                    others.append(bytes[position..<end])
                }
                position = end
            }
        }

        var sortedRows: [ArraySlice<UInt8>] { rows.sorted { $0.lexicographicallyPrecedes($1) } }
    }
}

extension CachedReply {
    /// The whole reply; empty when it cannot be unpacked.
    var bytes: [UInt8] {
        var output = ByteBuffer()
        let rest = append(to: &output, allocator: ByteBufferAllocator())
        return Array(output.readableBytesView) + (rest.map { Array($0.readableBytesView) } ?? [])
    }
}
