/// Why bytes from a peer could not be read as what they claim to be.
public enum ByteError: Error, Hashable, Sendable {
    /// The field reaches past the end of its message.
    case truncated
    /// A string has no terminating zero byte within its message.
    case unterminatedString
    /// A length or count is negative or above its limit.
    case lengthOutOfRange
    /// A string is not valid UTF-8 where text is required.
    case invalidText
}

/// An integer position that walks over bytes given to each call.
///
/// A view of bytes cannot yet be stored in a struct, so the cursor holds the offset alone and every read names the
/// bytes. Reads are bounds-checked, in network byte order, and throw rather than trap: all of it comes from a peer.
public struct ByteCursor: Hashable, Sendable {
    public private(set) var offset: Int

    @inlinable
    public init(at offset: Int = 0) {
        self.init(unchecked: offset)
    }

    @usableFromInline
    init(unchecked offset: Int) {
        self.offset = offset
    }

    public func remaining(in bytes: borrowing RawSpan) -> Int {
        max(0, bytes.byteCount - offset)
    }

    /// Reads one big-endian integer.
    public mutating func read<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ type: Integer.Type, in bytes: borrowing RawSpan
    ) throws(ByteError) -> Integer {
        guard remaining(in: bytes) >= MemoryLayout<Integer>.size else { throw .truncated }
        let value = bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Integer.self)
        offset += MemoryLayout<Integer>.size
        return Integer(bigEndian: value)
    }

    /// Steps over `count` bytes and returns where they stand.
    public mutating func take(_ count: Int, in bytes: borrowing RawSpan) throws(ByteError) -> Range<Int> {
        guard count >= 0 else { throw .lengthOutOfRange }
        guard remaining(in: bytes) >= count else { throw .truncated }
        defer { offset += count }
        return offset..<(offset + count)
    }

    /// Steps over a zero-terminated string and returns where its bytes stand, without the zero.
    public mutating func takeCString(in bytes: borrowing RawSpan) throws(ByteError) -> Range<Int> {
        var end = offset
        while end < bytes.byteCount {
            if bytes.unsafeLoad(fromByteOffset: end, as: UInt8.self) == 0 {
                defer { offset = end + 1 }
                return offset..<end
            }
            end += 1
        }
        throw .unterminatedString
    }

    /// Reads a zero-terminated UTF-8 string.
    public mutating func readCString(in bytes: borrowing RawSpan) throws(ByteError) -> String {
        let range = try takeCString(in: bytes)
        return try bytes.text(range)
    }
}

extension RawSpan {
    /// A copy of the bytes in `range`, which must lie within.
    public func copy(_ range: Range<Int>) -> [UInt8] {
        let part = extracting(range)
        return part.withUnsafeBytes { Array($0) }
    }

    /// The bytes in `range` as UTF-8.
    public func text(_ range: Range<Int>) throws(ByteError) -> String {
        guard let text = String(validating: copy(range), as: UTF8.self) else { throw .invalidText }
        return text
    }
}
