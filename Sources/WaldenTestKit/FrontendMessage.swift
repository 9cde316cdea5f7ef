/// Messages of a client, as bytes (PostgreSQL documentation, "Message Formats"). Written apart from the product's own
/// codec, so that the tests hold it against a second reading of the protocol.
public enum FrontendMessage {
    public static let protocol30: Int32 = 3 << 16
    public static let protocol32: Int32 = 3 << 16 | 2

    public static func startup(_ parameters: [(String, String)], version: Int32 = protocol30) -> [UInt8] {
        var body = bytes(of: version)
        for (name, value) in parameters { body += cString(name) + cString(value) }
        return untagged(body + [0])
    }

    public static let sslRequest = untagged(bytes(of: Int32(80_877_103)))
    public static let gssEncryptionRequest = untagged(bytes(of: Int32(80_877_104)))

    public static func cancelRequest(processID: Int32, key: [UInt8]) -> [UInt8] {
        untagged(bytes(of: Int32(80_877_102)) + bytes(of: processID) + key)
    }

    public static func password(_ text: String) -> [UInt8] { message("p", cString(text)) }

    public static func query(_ sql: String) -> [UInt8] { message("Q", cString(sql)) }

    public static func parse(_ sql: String, name: String = "", types: [Int32] = []) -> [UInt8] {
        message("P", cString(name) + cString(sql) + bytes(of: Int16(types.count)) + types.flatMap { bytes(of: $0) })
    }

    public static func bind(
        _ values: [[UInt8]?] = [], statement: String = "", portal: String = "", formats: [Int16] = [],
        resultFormats: [Int16] = []
    ) -> [UInt8] {
        var body = cString(portal) + cString(statement)
        body += bytes(of: Int16(formats.count)) + formats.flatMap { bytes(of: $0) }
        body += bytes(of: Int16(values.count)) + values.flatMap { optional($0) }
        body += bytes(of: Int16(resultFormats.count)) + resultFormats.flatMap { bytes(of: $0) }
        return message("B", body)
    }

    /// A Bind whose values are in text form.
    public static func bind(
        texts: [String?], statement: String = "", portal: String = "", resultFormats: [Int16] = []
    ) -> [UInt8] {
        bind(
            texts.map { $0.map { Array($0.utf8) } }, statement: statement, portal: portal,
            resultFormats: resultFormats)
    }

    public static func describe(statement: String) -> [UInt8] { message("D", [0x53] + cString(statement)) }

    public static func describe(portal: String) -> [UInt8] { message("D", [0x50] + cString(portal)) }

    public static func execute(portal: String = "", maxRows: Int32 = 0) -> [UInt8] {
        message("E", cString(portal) + bytes(of: maxRows))
    }

    public static func close(statement: String) -> [UInt8] { message("C", [0x53] + cString(statement)) }

    public static func close(portal: String) -> [UInt8] { message("C", [0x50] + cString(portal)) }

    public static func functionCall(_ function: Int32, _ arguments: [[UInt8]?], formats: [Int16]) -> [UInt8] {
        var body = bytes(of: function) + bytes(of: Int16(formats.count)) + formats.flatMap { bytes(of: $0) }
        body += bytes(of: Int16(arguments.count)) + arguments.flatMap { optional($0) } + bytes(of: formats[0])
        return message("F", body)
    }

    public static func copyData(_ data: [UInt8]) -> [UInt8] { message("d", data) }

    public static func copyFail(_ reason: String) -> [UInt8] { message("f", cString(reason)) }

    public static let copyDone = message("c", [])
    public static let flush = message("H", [])
    public static let sync = message("S", [])
    public static let terminate = message("X", [])

    /// Any tag with any body and the right length.
    public static func message(_ tag: Unicode.Scalar, _ body: [UInt8]) -> [UInt8] {
        [UInt8(ascii: tag)] + untagged(body)
    }

    /// A tag and a length that need not fit what follows.
    public static func header(_ tag: UInt8, length: Int32) -> [UInt8] { [tag] + bytes(of: length) }

    public static func bytes<Integer: FixedWidthInteger>(of integer: Integer) -> [UInt8] {
        withUnsafeBytes(of: integer.bigEndian) { Array($0) }
    }

    private static func untagged(_ body: [UInt8]) -> [UInt8] { bytes(of: Int32(body.count + 4)) + body }

    private static func cString(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

    private static func optional(_ value: [UInt8]?) -> [UInt8] {
        guard let value else { return bytes(of: Int32(-1)) }
        return bytes(of: Int32(value.count)) + value
    }
}
