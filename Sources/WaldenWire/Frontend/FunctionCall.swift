/// FunctionCall: runs a function by OID, an interface older than prepared statements (protocol chapter, Function Call).
public struct FunctionCall: FrontendMessage {
    public static var tagByte: UInt8 { FrontendTag.functionCall.rawValue }

    /// The OID in `pg_proc`.
    public var function: UInt32
    /// None (all text), one for all, or one for each argument.
    public var argumentFormats: [FormatCode]
    /// The arguments in their formats; nil is null.
    public var arguments: [[UInt8]?]
    public var resultFormat: FormatCode

    public init(
        function: UInt32, argumentFormats: [FormatCode] = [], arguments: [[UInt8]?] = [],
        resultFormat: FormatCode = .text
    ) {
        self.function = function
        self.argumentFormats = argumentFormats
        self.arguments = arguments
        self.resultFormat = resultFormat
    }

    /// - Throws: `truncated`, `lengthOutOfRange`, `parameterFormatCount`, `unexpectedValue` or `trailingBytes`.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        function = try reader.read(UInt32.self, in: bytes)
        argumentFormats = try reader.readFormats(in: bytes)
        arguments = try reader.readValues(in: bytes)
        guard argumentFormats.count <= 1 || argumentFormats.count == arguments.count else {
            throw WireError(.parameterFormatCount(formats: argumentFormats.count, parameters: arguments.count))
        }
        resultFormat = try reader.readFormat(in: bytes)
        try reader.finish()
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.appendInteger(function)
        bytes.appendFormats(argumentFormats)
        bytes.appendCount(arguments.count)
        for argument in arguments {
            bytes.appendValue(argument)
        }
        bytes.appendInteger(resultFormat.rawValue)
    }
}
