import WaldenCore

/// BackendKeyData: what a CancelRequest for this session must hold (protocol chapter, Canceling Requests in Progress).
public struct BackendKeyData: BackendMessage {
    public static var tagByte: UInt8 { BackendTag.backendKeyData.rawValue }

    public var processID: Int32
    /// 4 bytes in protocol 3.0, 4 to 256 from 3.2.
    public var secret: [UInt8]

    public init(processID: Int32, secret: [UInt8]) {
        self.processID = processID
        self.secret = secret
    }

    /// - Throws: `truncated`, or `lengthOutOfRange` for a secret below 4 or above 256 bytes.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        processID = try reader.read(Int32.self, in: bytes)
        let secret = reader.takeRest()
        guard CancelRequest.secretByteCounts.contains(secret.count) else {
            throw reader.malformed(.lengthOutOfRange)
        }
        self.secret = bytes.copy(secret)
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.appendInteger(processID)
        bytes.append(contentsOf: secret)
    }
}
