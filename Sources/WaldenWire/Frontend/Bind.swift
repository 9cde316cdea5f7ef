import WaldenCore

/// Bind: makes a portal from a prepared statement and values (protocol chapter, Extended Query; Message Formats, Bind).
public struct Bind: FrontendMessage {
    public static var tagByte: UInt8 { FrontendTag.bind.rawValue }

    /// The portal's name; empty for the unnamed portal.
    public var portal: String
    /// The prepared statement's name; empty for the unnamed statement.
    public var statement: String
    /// None (all text), one for all, or one for each value.
    public var parameterFormats: [FormatCode]
    /// The values in their formats; nil is null.
    public var values: [[UInt8]?]
    /// None (all text), one for all, or one for each result column.
    public var resultFormats: [FormatCode]

    public init(
        portal: String = "", statement: String = "", parameterFormats: [FormatCode] = [], values: [[UInt8]?] = [],
        resultFormats: [FormatCode] = []
    ) {
        self.portal = portal
        self.statement = statement
        self.parameterFormats = parameterFormats
        self.values = values
        self.resultFormats = resultFormats
    }

    /// - Throws: as `BindView` and its `parameters(in:)`, and `invalidText` when a name is not UTF-8.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        let view = try BindView(in: bytes, body: body)
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        portal = try reader.readCString(in: bytes)
        statement = try reader.readCString(in: bytes)
        parameterFormats = try reader.readFormats(in: bytes)
        let parameters = try view.parameters(in: bytes)
        values = parameters.values.map { _ in nil }
        for (index, parameter) in parameters.values.enumerated() {
            values[index] = parameter.value.map { bytes.copy($0) }
        }
        resultFormats = parameters.resultFormats
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.appendCString(portal)
        bytes.appendCString(statement)
        bytes.appendFormats(parameterFormats)
        bytes.appendCount(values.count)
        for value in values {
            bytes.appendValue(value)
        }
        bytes.appendFormats(resultFormats)
    }
}

/// Where the parts of a Bind stand in the bytes that hold it. Names are in the client's encoding.
///
/// Making the view finds the names and no more: a cached reply is found by the bytes of `rest` as they are. Only a
/// miss pays for the walk over the values.
public struct BindView: Hashable, Sendable {
    /// The portal's name without its zero; empty for the unnamed portal.
    public let portal: Range<Int>
    /// The prepared statement's name without its zero; empty for the unnamed statement.
    public let statement: Range<Int>
    /// All that follows the names: formats, values and result formats, not yet looked at.
    public let rest: Range<Int>

    /// - Throws: `unterminatedString`.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Bind.tagByte)
        portal = try reader.takeCString(in: bytes)
        statement = try reader.takeCString(in: bytes)
        rest = reader.takeRest()
    }

    /// Walks over `rest`; `bytes` must be those the view was made from.
    ///
    /// - Throws: `truncated`, `lengthOutOfRange` for a value of negative length other than null,
    ///   `parameterFormatCount`, `unexpectedValue` for a format other than text and binary, or `trailingBytes`.
    public func parameters(in bytes: borrowing RawSpan) throws(WireError) -> BindParameters {
        var reader = BodyReader(bytes, body: rest, tag: Bind.tagByte)
        let formats = try reader.readFormats(in: bytes)
        let count = try reader.readCount(bytesEach: 4, in: bytes)
        guard formats.count <= 1 || formats.count == count else {
            throw WireError(.parameterFormatCount(formats: formats.count, parameters: count))
        }
        let common = formats.first ?? .text
        var values: [BindParameters.Value] = []
        values.reserveCapacity(count)
        for index in 0..<count {
            let format = formats.count > 1 ? formats[index] : common
            values.append(BindParameters.Value(format: format, value: try reader.takeValue(in: bytes)))
        }
        let resultFormats = try reader.readFormats(in: bytes)
        try reader.finish()
        return BindParameters(values: values, resultFormats: resultFormats)
    }
}

/// The values of a Bind, as ranges of the bytes that hold it.
public struct BindParameters: Hashable, Sendable {
    public struct Value: Hashable, Sendable {
        public let format: FormatCode
        /// Where the value stands; nil is null.
        public let value: Range<Int>?

        public var isBinary: Bool { format == .binary }
    }

    /// In the order of `$1`, `$2` and so on; at most 65,535.
    public let values: [Value]
    /// None (all text), one for all, or one for each result column, whose number only the server knows.
    public let resultFormats: [FormatCode]
}
