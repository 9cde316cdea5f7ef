import WaldenCore

/// NegotiateProtocolVersion: the server speaks an older minor version, or does not know all `_pq_.` options (protocol
/// chapter, Start-up).
public struct NegotiateProtocolVersion: BackendMessage {
    public static var tagByte: UInt8 { BackendTag.negotiateProtocolVersion.rawValue }

    /// The version the session goes on with: the one asked for, or the server's newest when that is older. PostgreSQL
    /// and libpq put major and minor into the field that the chapter gives to the minor alone.
    public var version: ProtocolVersion
    /// The names, with `_pq_.`, that the server does not know.
    public var unrecognizedOptions: [String]

    public init(version: ProtocolVersion, unrecognizedOptions: [String]) {
        self.version = version
        self.unrecognizedOptions = unrecognizedOptions
    }

    /// - Throws: `truncated`, `lengthOutOfRange`, `unterminatedString`, `invalidText` or `trailingBytes`.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        version = ProtocolVersion(rawValue: try reader.read(UInt32.self, in: bytes))
        let count = Int(try reader.read(Int32.self, in: bytes))
        guard count >= 0 else { throw reader.malformed(.lengthOutOfRange) }
        guard reader.remaining >= count else { throw reader.malformed(.truncated) }
        unrecognizedOptions = []
        for _ in 0..<count {
            unrecognizedOptions.append(try reader.readCString(in: bytes))
        }
        try reader.finish()
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.appendInteger(version.rawValue)
        bytes.appendInteger(Int32(clamping: unrecognizedOptions.count))
        for option in unrecognizedOptions {
            bytes.appendCString(option)
        }
    }
}
