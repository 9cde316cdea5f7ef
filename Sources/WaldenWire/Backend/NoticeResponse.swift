/// NoticeResponse: a remark that changes nothing of the message flow (protocol chapter, Asynchronous Operations).
@dynamicMemberLookup
public struct NoticeResponse: BackendMessage {
    public static var tagByte: UInt8 { BackendTag.noticeResponse.rawValue }

    public var fields: ResponseFields

    public init(_ fields: ResponseFields) {
        self.fields = fields
    }

    public init(
        severity: ResponseFields.Severity = .notice, sqlState: SQLState, message: String, detail: String? = nil,
        hint: String? = nil
    ) {
        fields = ResponseFields(severity: severity, sqlState: sqlState, message: message, detail: detail, hint: hint)
    }

    public subscript<Value>(dynamicMember path: KeyPath<ResponseFields, Value>) -> Value {
        fields[keyPath: path]
    }

    /// - Throws: `truncated`, `unterminatedString` or `trailingBytes`. What is not UTF-8 is replaced.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        fields = try ResponseFields(reader: BodyReader(bytes, body: body, tag: Self.tagByte), in: bytes)
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        fields.encode(into: &bytes)
    }
}
