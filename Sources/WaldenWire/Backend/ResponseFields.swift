/// The fields of an ErrorResponse or a NoticeResponse (protocol chapter, Error and Notice Message Fields).
///
/// Fields of unknown type are kept: the chapter has receivers ignore them in silence. Any field may be missing; one
/// server in the wild leaves out even the SQLSTATE.
public struct ResponseFields: Hashable, Sendable {
    public struct Field: Hashable, Sendable {
        public let code: Code
        public let value: String

        public init(_ code: Code, _ value: String) {
            self.code = code
            self.value = value
        }
    }

    /// The byte that tells a field's meaning.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// In the server's language.
        public static let localizedSeverity = Code(rawValue: UInt8(ascii: "S"))
        public static let severity = Code(rawValue: UInt8(ascii: "V"))
        public static let sqlState = Code(rawValue: UInt8(ascii: "C"))
        public static let message = Code(rawValue: UInt8(ascii: "M"))
        public static let detail = Code(rawValue: UInt8(ascii: "D"))
        public static let hint = Code(rawValue: UInt8(ascii: "H"))
        /// Counted in characters from 1.
        public static let position = Code(rawValue: UInt8(ascii: "P"))
        public static let internalPosition = Code(rawValue: UInt8(ascii: "p"))
        public static let internalQuery = Code(rawValue: UInt8(ascii: "q"))
        public static let context = Code(rawValue: UInt8(ascii: "W"))
        public static let schema = Code(rawValue: UInt8(ascii: "s"))
        public static let table = Code(rawValue: UInt8(ascii: "t"))
        public static let column = Code(rawValue: UInt8(ascii: "c"))
        public static let dataType = Code(rawValue: UInt8(ascii: "d"))
        public static let constraint = Code(rawValue: UInt8(ascii: "n"))
        public static let file = Code(rawValue: UInt8(ascii: "F"))
        public static let line = Code(rawValue: UInt8(ascii: "L"))
        public static let routine = Code(rawValue: UInt8(ascii: "R"))
    }

    public enum Severity: String, Hashable, Sendable {
        case error = "ERROR"
        case fatal = "FATAL"
        case panic = "PANIC"
        case warning = "WARNING"
        case notice = "NOTICE"
        case debug = "DEBUG"
        case info = "INFO"
        case log = "LOG"
    }

    /// In the order sent.
    public var fields: [Field]

    public init(fields: [Field]) {
        self.fields = fields
    }

    public init(
        severity: Severity, sqlState: SQLState, message: String, detail: String? = nil, hint: String? = nil
    ) {
        fields = [
            Field(.localizedSeverity, severity.rawValue), Field(.severity, severity.rawValue),
            Field(.sqlState, sqlState.code), Field(.message, message),
        ]
        if let detail { fields.append(Field(.detail, detail)) }
        if let hint { fields.append(Field(.hint, hint)) }
    }

    /// The first field of this code.
    public subscript(code: Code) -> String? {
        fields.first { $0.code == code }?.value
    }

    /// Nil when missing or unknown. Servers before 9.6 send it in their language only.
    public var severity: Severity? {
        (self[.severity] ?? self[.localizedSeverity]).flatMap(Severity.init(rawValue:))
    }

    /// Nil when missing or not five digits and upper-case letters.
    public var sqlState: SQLState? { self[.sqlState].flatMap(SQLState.init) }

    /// Empty when missing.
    public var message: String { self[.message] ?? "" }
    public var detail: String? { self[.detail] }
    public var hint: String? { self[.hint] }

    init(reader: consuming BodyReader, in bytes: borrowing RawSpan) throws(WireError) {
        fields = []
        while true {
            let code = try reader.read(UInt8.self, in: bytes)
            if code == 0 { break }
            fields.append(Field(Code(rawValue: code), try reader.readLossyCString(in: bytes)))
        }
        try reader.finish()
    }

    func encode(into bytes: inout [UInt8]) {
        for field in fields where field.code.rawValue != 0 {
            bytes.append(field.code.rawValue)
            bytes.appendCString(field.value)
        }
        bytes.append(0)
    }
}
