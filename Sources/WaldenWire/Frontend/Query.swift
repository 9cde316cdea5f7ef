/// Query: a simple query of one or more statements (protocol chapter, Simple Query; Message Formats, Query).
public struct Query: FrontendMessage {
    public static var tagByte: UInt8 { FrontendTag.query.rawValue }

    public var text: String

    public init(_ text: String) {
        self.text = text
    }

    /// - Throws: as `QueryView`, and `invalidText` when the text is not UTF-8.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        text = try reader.readCString(in: bytes)
        try reader.finish()
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.appendCString(text)
    }
}

/// Where the parts of a Query stand in the bytes that hold it. The text is in the client's encoding.
public struct QueryView: Hashable, Sendable {
    /// The statement text, without the zero that ends it.
    public let text: Range<Int>

    /// - Throws: `unterminatedString`, or `trailingBytes` when the first zero is not the last byte.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Query.tagByte)
        text = try reader.takeCString(in: bytes)
        try reader.finish()
    }
}
