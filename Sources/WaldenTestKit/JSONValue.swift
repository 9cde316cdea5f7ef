/// A JSON text taken apart (RFC 8259), to look into an admin port's answers.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    public init(parsing text: String) throws {
        var parser = JSONParser(bytes: Array(text.utf8))
        self = try parser.parseDocument()
    }

    /// A member of an object; `null` when there is none.
    public subscript(_ name: String) -> JSONValue {
        if case .object(let members) = self { return members[name] ?? .null }
        return .null
    }

    public var int: Int? {
        if case .number(let number) = self { return Int(exactly: number) }
        return nil
    }

    public var double: Double? {
        if case .number(let number) = self { return number }
        return nil
    }

    public var string: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    public var bool: Bool? {
        if case .bool(let value) = self { return value }
        return nil
    }

    public var array: [JSONValue] {
        if case .array(let values) = self { return values }
        return []
    }

    public var members: [String: JSONValue] {
        if case .object(let members) = self { return members }
        return [:]
    }

    /// The sum of an object's members that are numbers.
    public var total: Int { members.values.compactMap(\.int).reduce(0, +) }
}

private struct JSONParser {
    let bytes: [UInt8]
    private var offset = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func parseDocument() throws -> JSONValue {
        let value = try parseValue(depth: 0)
        guard peek() == nil else { throw failure() }
        return value
    }

    private mutating func parseValue(depth: Int) throws -> JSONValue {
        guard depth < 64, let byte = peek() else { throw failure() }
        switch byte {
        case UInt8(ascii: "{"): return try parseObject(depth: depth)
        case UInt8(ascii: "["): return try parseArray(depth: depth)
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        default: return try parseNumber()
        }
    }

    private mutating func parseObject(depth: Int) throws -> JSONValue {
        offset += 1
        var members: [String: JSONValue] = [:]
        if take("}") { return .object(members) }
        repeat {
            guard peek() == UInt8(ascii: "\"") else { throw failure() }
            let name = try parseString()
            guard take(":") else { throw failure() }
            members[name] = try parseValue(depth: depth + 1)
        } while take(",")
        guard take("}") else { throw failure() }
        return .object(members)
    }

    private mutating func parseArray(depth: Int) throws -> JSONValue {
        offset += 1
        var values: [JSONValue] = []
        if take("]") { return .array(values) }
        repeat {
            values.append(try parseValue(depth: depth + 1))
        } while take(",")
        guard take("]") else { throw failure() }
        return .array(values)
    }

    private mutating func parseWord(_ word: String, _ value: JSONValue) throws -> JSONValue {
        guard bytes[offset...].starts(with: word.utf8) else { throw failure() }
        offset += word.utf8.count
        return value
    }

    private mutating func parseNumber() throws -> JSONValue {
        let digits = bytes[offset...].prefix { "+-0123456789.eE".utf8.contains($0) }
        guard let number = Double(String(decoding: digits, as: UTF8.self)) else { throw failure() }
        offset += digits.count
        return .number(number)
    }

    private mutating func parseString() throws -> String {
        offset += 1
        var text: [UInt16] = []
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                offset += 1
                return String(decoding: text, as: UTF16.self)
            }
            if byte == UInt8(ascii: "\\") {
                text.append(try parseEscape())
            } else {
                let run = bytes[offset...].prefix { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
                text += Array(String(decoding: run, as: UTF8.self).utf16)
                offset += run.count
            }
        }
        throw failure()
    }

    private mutating func parseEscape() throws -> UInt16 {
        guard offset + 1 < bytes.count else { throw failure() }
        let letter = bytes[offset + 1]
        offset += 2
        switch letter {
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "u"):
            let digits = String(decoding: bytes[offset...].prefix(4), as: UTF8.self)
            guard digits.utf8.count == 4, let unit = UInt16(digits, radix: 16) else { throw failure() }
            offset += 4
            return unit
        default: return UInt16(letter)
        }
    }

    /// The next byte that is not white space, without taking it.
    private mutating func peek() -> UInt8? {
        while offset < bytes.count, " \t\r\n".utf8.contains(bytes[offset]) { offset += 1 }
        return offset < bytes.count ? bytes[offset] : nil
    }

    private mutating func take(_ sign: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: sign) else { return false }
        offset += 1
        return true
    }

    private func failure() -> TestKitError {
        TestKitError("not JSON at byte \(offset): \(String(decoding: bytes.prefix(200), as: UTF8.self))")
    }
}
