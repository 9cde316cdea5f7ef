import WaldenCore

/// Walks over the fields of one tagged message; errors carry the tag.
struct MessageReader {
    let tag: UInt8
    private(set) var cursor: ByteCursor

    /// Begins at the tag, at `offset`.
    init(in bytes: borrowing RawSpan, at offset: Int = 0) throws(DecodingError) {
        var cursor = ByteCursor(at: offset)
        do throws(ByteError) {
            tag = try cursor.read(UInt8.self, in: bytes)
        } catch {
            throw .malformed(tag: 0, error)
        }
        self.cursor = cursor
    }

    var offset: Int { cursor.offset }

    mutating func integer<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ type: Integer.Type = Integer.self, in bytes: borrowing RawSpan
    ) throws(DecodingError) -> Integer {
        do throws(ByteError) {
            return try cursor.read(Integer.self, in: bytes)
        } catch {
            throw .malformed(tag: tag, error)
        }
    }

    mutating func byte(in bytes: borrowing RawSpan) throws(DecodingError) -> UInt8 {
        try integer(in: bytes)
    }

    mutating func lsn(in bytes: borrowing RawSpan) throws(DecodingError) -> LSN {
        LSN(try integer(in: bytes))
    }

    mutating func relation(in bytes: borrowing RawSpan) throws(DecodingError) -> RelationID {
        RelationID(try integer(in: bytes))
    }

    mutating func text(in bytes: borrowing RawSpan) throws(DecodingError) -> String {
        do throws(ByteError) {
            return try cursor.readCString(in: bytes)
        } catch {
            throw .malformed(tag: tag, error)
        }
    }

    /// The range of a zero-terminated string, without the zero.
    mutating func textRange(in bytes: borrowing RawSpan) throws(DecodingError) -> Range<Int> {
        do throws(ByteError) {
            return try cursor.takeCString(in: bytes)
        } catch {
            throw .malformed(tag: tag, error)
        }
    }

    /// The range of a counted run of bytes: a 32-bit length, then the bytes.
    mutating func counted(in bytes: borrowing RawSpan) throws(DecodingError) -> Range<Int> {
        let count = try integer(Int32.self, in: bytes)
        do throws(ByteError) {
            return try cursor.take(Int(count), in: bytes)
        } catch {
            throw .malformed(tag: tag, error)
        }
    }

    /// A count of elements that take at least `elementBytes` each, checked against what is left of the message, so
    /// that memory may be reserved for them.
    mutating func count<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ type: Integer.Type, elementBytes: Int, in bytes: borrowing RawSpan
    ) throws(DecodingError) -> Int {
        let count = Int(try integer(type, in: bytes))
        guard count >= 0 else { throw .malformed(tag: tag, .lengthOutOfRange) }
        guard count <= cursor.remaining(in: bytes) / elementBytes else { throw .malformed(tag: tag, .truncated) }
        return count
    }

    /// Checks that the message ends here.
    func end(in bytes: borrowing RawSpan) throws(DecodingError) {
        let left = cursor.remaining(in: bytes)
        guard left == 0 else { throw .trailingBytes(tag: tag, count: left) }
    }
}
