/// CopyFail: the client gives up a COPY FROM STDIN (protocol chapter, COPY Operations).
public struct CopyFail: FrontendMessage {
    public static var tagByte: UInt8 { FrontendTag.copyFail.rawValue }

    /// The reason, which the server repeats in its error.
    public var reason: String

    public init(reason: String) {
        self.reason = reason
    }

    /// - Throws: `unterminatedString` or `trailingBytes`. What is not UTF-8 in the reason is replaced.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        reason = try reader.readLossyCString(in: bytes)
        try reader.finish()
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.appendCString(reason)
    }
}
