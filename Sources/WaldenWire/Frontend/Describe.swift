/// Describe: asks what a prepared statement takes and returns, or what a portal returns (protocol chapter,
/// Extended Query; Message Formats, Describe).
public struct Describe: FrontendMessage {
    public static var tagByte: UInt8 { FrontendTag.describe.rawValue }

    public var kind: DescribeTarget
    /// Empty for the unnamed statement or portal.
    public var name: String

    public init(_ kind: DescribeTarget, name: String = "") {
        self.kind = kind
        self.name = name
    }

    /// - Throws: as `DescribeView`, and `invalidText` when the name is not UTF-8.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        let view = try DescribeView(in: bytes, body: body)
        kind = view.kind
        name = try BodyReader(bytes, body: body, tag: Self.tagByte).text(view.name, in: bytes)
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.append(kind.rawValue)
        bytes.appendCString(name)
    }
}

/// Where the parts of a Describe stand in the bytes that hold it. The name is in the client's encoding.
public struct DescribeView: Hashable, Sendable {
    public let kind: DescribeTarget
    /// The name without its zero; empty for the unnamed statement or portal.
    public let name: Range<Int>

    /// - Throws: `truncated`, `unexpectedValue` for a subtype other than `S` and `P`, `unterminatedString` or
    ///   `trailingBytes`.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Describe.tagByte)
        kind = try reader.readTarget(in: bytes)
        name = try reader.takeCString(in: bytes)
        try reader.finish()
    }
}
