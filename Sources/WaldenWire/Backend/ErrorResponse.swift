/// ErrorResponse: a command failed, or with FATAL the session (protocol chapter, Error and Notice Message Fields).
@dynamicMemberLookup
public struct ErrorResponse: BackendMessage {
    public static var tagByte: UInt8 { BackendTag.errorResponse.rawValue }

    public var fields: ResponseFields

    public init(_ fields: ResponseFields) {
        self.fields = fields
    }

    public init(
        severity: ResponseFields.Severity = .error, sqlState: SQLState, message: String, detail: String? = nil,
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

extension ErrorResponse {
    /// What a peer is told whose bytes could not be read: always FATAL, since the framing can no longer be trusted.
    public init(_ error: WireError) {
        self.init(severity: .fatal, sqlState: error.sqlState, message: error.message)
    }
}
