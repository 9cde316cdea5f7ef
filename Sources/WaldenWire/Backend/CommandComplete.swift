/// CommandComplete: a statement ended well (Message Formats, CommandComplete).
public struct CommandComplete: BackendMessage {
    public static var tagByte: UInt8 { BackendTag.commandComplete.rawValue }

    /// The command tag, such as `SELECT 3`, `INSERT 0 1` or `BEGIN`.
    public var tag: String

    public init(_ tag: String) {
        self.tag = tag
    }

    /// - Throws: `unterminatedString` or `trailingBytes`. What is not UTF-8 is replaced.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        tag = try reader.readLossyCString(in: bytes)
        try reader.finish()
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.appendCString(tag)
    }
}
