/// Appends messages to a buffer: a type byte, a length that is patched when the body is known, and the body.
///
/// A body beyond what Int32 can say cannot be written; the length saturates and the peer refuses it.
public enum MessageWriter {
    /// Appends one message with the body that `body` appends.
    @inlinable
    public static func append(tag: UInt8, into bytes: inout [UInt8], body: (inout [UInt8]) -> Void) {
        bytes.append(tag)
        appendUntagged(into: &bytes, body: body)
    }

    /// Appends a length and a body, as startup packets are framed.
    @inlinable
    public static func appendUntagged(into bytes: inout [UInt8], body: (inout [UInt8]) -> Void) {
        let start = bytes.count
        bytes.appendInteger(Int32(0))
        body(&bytes)
        let length = UInt32(bitPattern: Int32(clamping: bytes.count - start))
        for place in 0..<4 {
            bytes[start + place] = UInt8(truncatingIfNeeded: length >> (24 - 8 * UInt32(place)))
        }
    }
}

extension [UInt8] {
    /// Appends an integer in network byte order.
    @inlinable
    public mutating func appendInteger<Integer: FixedWidthInteger>(_ value: Integer) {
        var shift = Integer.bitWidth
        while shift > 0 {
            shift -= 8
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Appends an Int16 count; above 65,535 it saturates.
    @inlinable
    public mutating func appendCount(_ count: Int) {
        appendInteger(UInt16(clamping: count))
    }

    /// Appends a zero-terminated string. A zero inside would start the next field, so the text is cut before it.
    @inlinable
    public mutating func appendCString(_ text: String) {
        append(contentsOf: text.utf8.prefix { $0 != 0 })
        append(0)
    }

    /// Appends a value with its Int32 length before it; nil as the length -1, a null.
    @inlinable
    public mutating func appendValue(_ value: [UInt8]?) {
        guard let value else {
            appendInteger(Int32(-1))
            return
        }
        appendInteger(Int32(clamping: value.count))
        append(contentsOf: value)
    }

    mutating func appendFormats(_ formats: [FormatCode]) {
        appendCount(formats.count)
        for format in formats {
            appendInteger(format.rawValue)
        }
    }
}
