/// FunctionCallResponse: the result of a FunctionCall (protocol chapter, Function Call).
public struct FunctionCallResponse: BackendMessage {
    public static var tagByte: UInt8 { BackendTag.functionCallResponse.rawValue }

    /// In the format asked for; nil is null.
    public var value: [UInt8]?

    public init(_ value: [UInt8]?) {
        self.value = value
    }

    /// - Throws: `truncated`, `lengthOutOfRange` or `trailingBytes`.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        value = try reader.readValue(in: bytes)
        try reader.finish()
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.appendValue(value)
    }
}
