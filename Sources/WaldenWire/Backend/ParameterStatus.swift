/// ParameterStatus: the present value of a setting that is reported to clients (protocol chapter, Asynchronous
/// Operations).
public struct ParameterStatus: BackendMessage {
    public static var tagByte: UInt8 { BackendTag.parameterStatus.rawValue }

    public var name: String
    public var value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// - Throws: `unterminatedString` or `trailingBytes`. What is not UTF-8 is replaced.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        name = try reader.readLossyCString(in: bytes)
        value = try reader.readLossyCString(in: bytes)
        try reader.finish()
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.appendCString(name)
        bytes.appendCString(value)
    }
}
