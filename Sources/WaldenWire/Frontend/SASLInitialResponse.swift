/// SASLInitialResponse: the mechanism chosen and its first data (protocol chapter, SASL Authentication).
public struct SASLInitialResponse: FrontendMessage {
    public static var tagByte: UInt8 { FrontendTag.password.rawValue }

    public var mechanism: String
    /// Nil when the mechanism has the server speak first.
    public var data: [UInt8]?

    public init(mechanism: String, data: [UInt8]?) {
        self.mechanism = mechanism
        self.data = data
    }

    /// - Throws: `unterminatedString`, `invalidText`, `truncated`, `lengthOutOfRange` or `trailingBytes`.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        mechanism = try reader.readCString(in: bytes)
        data = try reader.readValue(in: bytes)
        try reader.finish()
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.appendCString(mechanism)
        bytes.appendValue(data)
    }
}
