/// NotificationResponse: a NOTIFY on a channel listened to (protocol chapter, Asynchronous Operations).
public struct NotificationResponse: BackendMessage {
    public static var tagByte: UInt8 { BackendTag.notificationResponse.rawValue }

    /// Of the backend that notified.
    public var processID: Int32
    public var channel: String
    public var payload: String

    public init(processID: Int32, channel: String, payload: String) {
        self.processID = processID
        self.channel = channel
        self.payload = payload
    }

    /// - Throws: `truncated`, `unterminatedString` or `trailingBytes`. What is not UTF-8 is replaced.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        processID = try reader.read(Int32.self, in: bytes)
        channel = try reader.readLossyCString(in: bytes)
        payload = try reader.readLossyCString(in: bytes)
        try reader.finish()
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.appendInteger(processID)
        bytes.appendCString(channel)
        bytes.appendCString(payload)
    }
}
