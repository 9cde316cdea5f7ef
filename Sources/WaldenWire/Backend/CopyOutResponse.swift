/// CopyOutResponse: COPY data follow (protocol chapter, COPY Operations).
public struct CopyOutResponse: BackendMessage {
    public static var tagByte: UInt8 { BackendTag.copyOutResponse.rawValue }

    public var formats: CopyFormats

    public init(_ formats: CopyFormats) {
        self.formats = formats
    }

    /// - Throws: `truncated`, `unexpectedValue` or `trailingBytes`.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        formats = try CopyFormats(reader: BodyReader(bytes, body: body, tag: Self.tagByte), in: bytes)
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        formats.encode(into: &bytes)
    }
}
