/// One kind of tagged message: how its body is read and written.
public protocol Message: Hashable, Sendable {
    /// The type byte.
    static var tagByte: UInt8 { get }

    /// Reads the body that stands at `body` of `bytes`; what lies beyond the end of `bytes` counts as missing.
    init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError)

    /// Appends the body, without type byte and length.
    func encodeBody(into bytes: inout [UInt8])
}

extension Message {
    /// Reads a body that is all of `body`.
    public init(decoding body: borrowing RawSpan) throws(WireError) {
        try self.init(in: body, body: 0..<body.byteCount)
    }

    /// Appends the whole message.
    public func encode(into bytes: inout [UInt8]) {
        MessageWriter.append(tag: Self.tagByte, into: &bytes, body: encodeBody)
    }

    /// The whole message.
    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        encode(into: &bytes)
        return bytes
    }
}

/// A message that clients send.
public protocol FrontendMessage: Message {}

extension FrontendMessage {
    public static var tag: FrontendTag { FrontendTag(rawValue: tagByte) }
}

/// A message that servers send.
public protocol BackendMessage: Message {}

extension BackendMessage {
    public static var tag: BackendTag { BackendTag(rawValue: tagByte) }
}

/// A message that is its tag alone.
public protocol EmptyMessage: Message {
    init()
}

extension EmptyMessage {
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        try BodyReader(bytes, body: body, tag: Self.tagByte).finish()
        self.init()
    }

    public func encodeBody(into bytes: inout [UInt8]) {}
}
