/// Close: drops a prepared statement or a portal; one that does not exist is no error (protocol chapter, Extended
/// Query; Message Formats, Close).
public struct Close: FrontendMessage {
    public static var tagByte: UInt8 { FrontendTag.close.rawValue }

    public var kind: DescribeTarget
    /// Empty for the unnamed statement or portal.
    public var name: String

    public init(_ kind: DescribeTarget, name: String = "") {
        self.kind = kind
        self.name = name
    }

    /// - Throws: as `CloseView`, and `invalidText` when the name is not UTF-8.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        let view = try CloseView(in: bytes, body: body)
        kind = view.kind
        name = try BodyReader(bytes, body: body, tag: Self.tagByte).text(view.name, in: bytes)
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.append(kind.rawValue)
        bytes.appendCString(name)
    }
}

/// Where the parts of a Close stand in the bytes that hold it. The name is in the client's encoding.
public struct CloseView: Hashable, Sendable {
    public let kind: DescribeTarget
    /// The name without its zero; empty for the unnamed statement or portal.
    public let name: Range<Int>

    /// - Throws: `truncated`, `unexpectedValue` for a subtype other than `S` and `P`, `unterminatedString` or
    ///   `trailingBytes`.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Close.tagByte)
        kind = try reader.readTarget(in: bytes)
        name = try reader.takeCString(in: bytes)
        try reader.finish()
    }
}
