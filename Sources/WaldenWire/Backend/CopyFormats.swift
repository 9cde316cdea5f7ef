/// The formats of a COPY stream (Message Formats, CopyInResponse, CopyOutResponse and CopyBothResponse).
public struct CopyFormats: Hashable, Sendable {
    /// Text covers CSV.
    public var overall: FormatCode
    public var columns: [FormatCode]

    public init(overall: FormatCode, columns: [FormatCode]) {
        self.overall = overall
        self.columns = columns
    }

    init(reader: consuming BodyReader, in bytes: borrowing RawSpan) throws(WireError) {
        let code = Int(try reader.read(Int8.self, in: bytes))
        guard let overall = FormatCode(rawValue: Int16(code)) else {
            throw WireError(.unexpectedValue(tag: reader.tag, field: .formatCode, value: code))
        }
        self.overall = overall
        columns = try reader.readFormats(in: bytes)
        try reader.finish()
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(UInt8(truncatingIfNeeded: overall.rawValue))
        bytes.appendFormats(columns)
    }
}
