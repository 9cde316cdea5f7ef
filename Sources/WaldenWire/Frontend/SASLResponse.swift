import WaldenCore

/// SASLResponse: further data of the mechanism (protocol chapter, SASL Authentication).
public struct SASLResponse: FrontendMessage {
    public static var tagByte: UInt8 { FrontendTag.password.rawValue }

    public var data: [UInt8]

    public init(data: [UInt8]) {
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
