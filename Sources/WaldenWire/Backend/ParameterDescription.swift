public import WaldenCore

/// ParameterDescription: the types of a statement's parameters (Message Formats, ParameterDescription).
public struct ParameterDescription: BackendMessage {
    public static var tagByte: UInt8 { BackendTag.parameterDescription.rawValue }

    public var types: [TypeID]

    public init(_ types: [TypeID]) {
        self.types = types
    }

    /// - Throws: `truncated` or `trailingBytes`.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        let count = try reader.readCount(bytesEach: 4, in: bytes)
        types = []
        types.reserveCapacity(count)
        for _ in 0..<count {
            types.append(TypeID(try reader.read(UInt32.self, in: bytes)))
        }
        try reader.finish()
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.appendCount(types.count)
        for type in types {
            bytes.appendInteger(type.rawValue)
        }
    }
}
