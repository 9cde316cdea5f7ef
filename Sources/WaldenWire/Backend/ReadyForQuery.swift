/// Where the server stands between commands (Message Formats, ReadyForQuery).
public enum TransactionStatus: UInt8, Hashable, Sendable {
    /// `I`: in no transaction.
    case idle = 0x49
    /// `T`: in a transaction.
    case inTransaction = 0x54
    /// `E`: in a transaction that failed; all but its end is refused.
    case failed = 0x45
}

/// ReadyForQuery: the server awaits a new command (protocol chapter, Message Flow).
public struct ReadyForQuery: BackendMessage {
    public static var tagByte: UInt8 { BackendTag.readyForQuery.rawValue }

    public var status: TransactionStatus

    public init(_ status: TransactionStatus) {
        self.status = status
    }

    /// - Throws: `truncated`, `unexpectedValue` or `trailingBytes`.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        let byte = try reader.read(UInt8.self, in: bytes)
        guard let status = TransactionStatus(rawValue: byte) else {
            throw WireError(.unexpectedValue(tag: Self.tagByte, field: .transactionStatus, value: Int(byte)))
        }
        self.status = status
        try reader.finish()
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.append(status.rawValue)
    }
}
