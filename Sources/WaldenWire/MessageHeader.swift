/// The head of a tagged message: a type byte, then an Int32 length that counts itself but not the type byte (protocol
/// chapter, Message Formats).
public struct MessageHeader: Hashable, Sendable {
    /// The type byte and the length field.
    @inlinable public static var byteCount: Int { 5 }

    public let tag: UInt8
    /// Bytes of the whole message, the type byte and the length field among them; at least 5.
    public let byteCount: Int

    @inlinable
    init(tag: UInt8, byteCount: Int) {
        self.tag = tag
        self.byteCount = byteCount
    }

    /// Reads the header at `offset`, which says nothing of whether the body has arrived.
    ///
    /// - Parameter limit: the greatest length field accepted, in bytes; it is checked before any memory is taken.
    /// - Returns: nil while fewer than five bytes are there from `offset`.
    /// - Throws: `lengthOutOfRange` when the length is below 4 (so also when negative) or above `limit`.
    @inlinable
    public static func parse(
        _ bytes: borrowing RawSpan, at offset: Int, limit: Int
    ) throws(WireError) -> MessageHeader? {
        guard offset >= 0, bytes.byteCount &- offset >= byteCount else { return nil }
        let tag = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
        let field = bytes.unsafeLoadUnaligned(fromByteOffset: offset &+ 1, as: Int32.self)
        let length = Int(Int32(bigEndian: field))
        guard length >= 4, length <= limit else {
            throw WireError(.lengthOutOfRange(declared: length, limit: limit))
        }
        return MessageHeader(tag: tag, byteCount: length &+ 1)
    }

    /// Where the body of the message stands when its type byte is at `offset`.
    @inlinable
    public func body(at offset: Int) -> Range<Int> {
        (offset + Self.byteCount)..<(offset + byteCount)
    }
}
