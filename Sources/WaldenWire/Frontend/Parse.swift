public import WaldenCore

/// Parse: makes a prepared statement (protocol chapter, Extended Query; Message Formats, Parse).
public struct Parse: FrontendMessage {
    public static var tagByte: UInt8 { FrontendTag.parse.rawValue }

    /// The statement's name; empty for the unnamed statement.
    public var name: String
    public var query: String
    /// Types of the first parameters; `unspecified` leaves one to the server.
    public var parameterTypes: [TypeID]

    public init(name: String = "", query: String, parameterTypes: [TypeID] = []) {
        self.name = name
        self.query = query
        self.parameterTypes = parameterTypes
    }

    /// - Throws: as `ParseView`, and `invalidText` when name or query are not UTF-8.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        let view = try ParseView(in: bytes, body: body)
        let reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        name = try reader.text(view.name, in: bytes)
        query = try reader.text(view.query, in: bytes)
        parameterTypes = []
        parameterTypes.reserveCapacity(view.parameterTypeCount)
        for index in 0..<view.parameterTypeCount {
            parameterTypes.append(try view.parameterType(at: index, in: bytes))
        }
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.appendCString(name)
        bytes.appendCString(query)
        bytes.appendCount(parameterTypes.count)
        for type in parameterTypes {
            bytes.appendInteger(type.rawValue)
        }
    }
}

/// Where the parts of a Parse stand in the bytes that hold it. Names and text are in the client's encoding.
public struct ParseView: Hashable, Sendable {
    /// The statement's name without its zero; empty for the unnamed statement.
    public let name: Range<Int>
    /// The statement text without its zero.
    public let query: Range<Int>
    /// The OIDs of the parameter types, four bytes each in network order.
    public let parameterTypes: Range<Int>

    /// 0 to 65,535.
    public var parameterTypeCount: Int { parameterTypes.count / 4 }

    /// - Throws: `truncated`, `unterminatedString` or `trailingBytes`.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Parse.tagByte)
        name = try reader.takeCString(in: bytes)
        query = try reader.takeCString(in: bytes)
        let count = try reader.readCount(bytesEach: 4, in: bytes)
        parameterTypes = try reader.take(count * 4)
        try reader.finish()
    }

    /// The type of the parameter at `index`, counted from zero.
    ///
    /// - Throws: `truncated` when Parse gave no type for it or `bytes` do not hold it.
    public func parameterType(at index: Int, in bytes: borrowing RawSpan) throws(WireError) -> TypeID {
        guard (0..<parameterTypeCount).contains(index) else {
            throw WireError(.malformed(tag: Parse.tagByte, .truncated))
        }
        let start = parameterTypes.lowerBound + 4 * index
        var reader = BodyReader(bytes, body: start..<(start + 4), tag: Parse.tagByte)
        return TypeID(try reader.read(UInt32.self, in: bytes))
    }
}
