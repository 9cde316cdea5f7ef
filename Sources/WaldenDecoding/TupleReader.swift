import WaldenCore

/// Walks over TupleData (protocol chapter, "Logical Replication Message Formats"): a count of columns, then for each
/// column a byte that says its kind and, if it has a value, its length and bytes.
struct TupleReader {
    private let tag: UInt8
    /// The offsets of fields count from here.
    private let base: Int
    private var offset: Int
    private(set) var sawUnchangedToast = false

    init(tag: UInt8, at offset: Int) {
        self.tag = tag
        base = offset
        self.offset = offset
    }

    /// The fields of one tuple. In a key-only one, what is no part of the key comes as null and was not sent.
    mutating func fields(
        of relation: RelationDescription, keyOnly: Bool, in bytes: borrowing RawSpan
    ) throws(DecodingError) -> [Field] {
        try checkCount(relation, in: bytes)
        let columns = relation.columns
        var reader = self
        let fields = try [Field](capacity: columns.count) { (output: inout OutputSpan<Field>) throws(DecodingError) in
            for index in 0..<columns.count {
                var field = try reader.next(in: bytes)
                if keyOnly, field.kind == .null, !columns[index].isKey { field = Field(kind: .notSent) }
                output.append(field)
            }
        }
        self = reader
        return fields
    }

    /// Steps over one tuple.
    mutating func skip(_ relation: RelationDescription, in bytes: borrowing RawSpan) throws(DecodingError) {
        try checkCount(relation, in: bytes)
        for _ in 0..<relation.columns.count { _ = try next(in: bytes) }
    }

    /// Steps over the byte that says which tuple follows.
    mutating func expect(_ byte: UInt8, in bytes: borrowing RawSpan) throws(DecodingError) {
        let found = try self.byte(in: bytes)
        guard found == byte else { throw .unknownVariant(tag: tag, byte: found) }
    }

    func end(in bytes: borrowing RawSpan) throws(DecodingError) {
        guard offset == bytes.byteCount else { throw .trailingBytes(tag: tag, count: bytes.byteCount - offset) }
    }

    private mutating func checkCount(
        _ relation: RelationDescription, in bytes: borrowing RawSpan
    ) throws(DecodingError) {
        guard bytes.byteCount - offset >= 2 else { throw .malformed(tag: tag, .truncated) }
        let count = Int(Int16(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Int16.self)))
        offset += 2
        guard count == relation.columns.count else {
            throw .columnCount(relation.id, expected: relation.columns.count, found: count)
        }
    }

    private mutating func next(in bytes: borrowing RawSpan) throws(DecodingError) -> Field {
        let kind: Field.Kind
        switch try byte(in: bytes) {
        case UInt8(ascii: "t"): kind = .text
        case UInt8(ascii: "b"): kind = .binary
        case UInt8(ascii: "n"): return Field(kind: .null)
        case UInt8(ascii: "u"):
            sawUnchangedToast = true
            return Field(kind: .unchangedToast)
        case let other: throw .unknownVariant(tag: tag, byte: other)
        }
        guard bytes.byteCount - offset >= 4 else { throw .malformed(tag: tag, .truncated) }
        let length = Int(Int32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Int32.self)))
        offset += 4
        guard length >= 0 else { throw .malformed(tag: tag, .lengthOutOfRange) }
        guard bytes.byteCount - offset >= length else { throw .malformed(tag: tag, .truncated) }
        // A frame is at most 2 GiB, so both fit.
        let field = Field(kind: kind, offset: UInt32(offset - base), length: UInt32(length))
        offset += length
        return field
    }

    private mutating func byte(in bytes: borrowing RawSpan) throws(DecodingError) -> UInt8 {
        guard offset < bytes.byteCount else { throw .malformed(tag: tag, .truncated) }
        defer { offset += 1 }
        return bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }
}
