import WaldenCore

/// CopyData: a piece of a COPY stream, in either direction (protocol chapter, COPY Operations).
public struct CopyData: FrontendMessage, BackendMessage {
    public static var tagByte: UInt8 { FrontendTag.copyData.rawValue }

    public var data: [UInt8]

    public init(_ data: [UInt8]) {
        self.data = data
    }

    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        data = bytes.copy(reader.takeRest())
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.append(contentsOf: data)
    }
}
