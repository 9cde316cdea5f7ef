/// Execute: runs a portal (protocol chapter, Extended Query; Message Formats, Execute).
public struct Execute: FrontendMessage {
    public static var tagByte: UInt8 { FrontendTag.execute.rawValue }

    /// The portal's name; empty for the unnamed portal.
    public var portal: String
    /// Rows after which the portal is suspended; zero or less is no limit.
    public var maxRows: Int32

    public init(portal: String = "", maxRows: Int32 = 0) {
        self.portal = portal
        self.maxRows = maxRows
    }

    /// - Throws: as `ExecuteView`, and `invalidText` when the name is not UTF-8.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        let view = try ExecuteView(in: bytes, body: body)
        portal = try BodyReader(bytes, body: body, tag: Self.tagByte).text(view.portal, in: bytes)
        maxRows = view.maxRows
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.appendCString(portal)
        bytes.appendInteger(maxRows)
    }
}

/// Where the parts of an Execute stand in the bytes that hold it. The name is in the client's encoding.
public struct ExecuteView: Hashable, Sendable {
    /// The portal's name without its zero; empty for the unnamed portal.
    public let portal: Range<Int>
    /// Rows after which the portal is suspended; zero or less is no limit (`PortalRun` in `exec_execute_message`).
    public let maxRows: Int32

    /// - Throws: `unterminatedString`, `truncated` or `trailingBytes`.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Execute.tagByte)
        portal = try reader.takeCString(in: bytes)
        maxRows = try reader.read(Int32.self, in: bytes)
        try reader.finish()
    }
}
