/// DataRow: the values of one row (Message Formats, DataRow).
public struct DataRow: BackendMessage {
    public static var tagByte: UInt8 { BackendTag.dataRow.rawValue }

    /// In the formats that RowDescription told; nil is null.
    public var values: [[UInt8]?]

    public init(_ values: [[UInt8]?]) {
        self.values = values
    }

    /// - Throws: `truncated`, `lengthOutOfRange` or `trailingBytes`.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        values = try reader.readValues(in: bytes)
        try reader.finish()
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.appendCount(values.count)
        for value in values {
            bytes.appendValue(value)
        }
    }
}
