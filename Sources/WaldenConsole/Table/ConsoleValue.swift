import WaldenCore
import WaldenWire

/// The types that the console's columns have; PgBouncer's where it has the column, too.
public enum ColumnType: Hashable, Sendable, CaseIterable {
    case text
    case bool
    case int4
    case int8
    case float8
    /// Whole numbers only.
    case numeric
    case timestamptz

    var oid: TypeID {
        switch self {
        case .text: .text
        case .bool: .bool
        case .int4: .int4
        case .int8: .int8
        case .float8: TypeID(701)
        case .numeric: .numeric
        case .timestamptz: .timestamptz
        }
    }

    /// `pg_type.typlen`.
    var size: Int16 {
        switch self {
        case .text, .numeric: -1
        case .bool: 1
        case .int4: 4
        case .int8, .float8, .timestamptz: 8
        }
    }

    /// As SQL spells it.
    public var name: String {
        switch self {
        case .text: "text"
        case .bool: "bool"
        case .int4: "int4"
        case .int8: "int8"
        case .float8: "float8"
        case .numeric: "numeric"
        case .timestamptz: "timestamptz"
        }
    }
}

/// One value of a row.
public enum ConsoleValue: Hashable, Sendable {
    case null
    case text(String)
    case bool(Bool)
    case int4(Int32)
    case int8(Int64)
    case float8(Double)
    case numeric(UInt64)
    case timestamptz(WallTime)

    /// The bytes of a DataRow's value; nil is null.
    func encoded(_ format: FormatCode) -> [UInt8]? {
        switch format {
        case .text: text.map { Array($0.utf8) }
        case .binary: binary
        }
    }

    /// As PostgreSQL's output functions write it.
    var text: String? {
        switch self {
        case .null: nil
        // A text of PostgreSQL holds no zero byte.
        case .text(let text): text.utf8.contains(0) ? String(text.prefix { $0 != "\0" }) : text
        case .bool(let value): value ? "t" : "f"
        case .int4(let value): "\(value)"
        case .int8(let value): "\(value)"
        case .float8(let value): Self.text(of: value)
        case .numeric(let value): "\(value)"
        case .timestamptz(let moment): moment.withMicroseconds
        }
    }

    private static func text(of value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        let text = "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// As PostgreSQL's send functions write it.
    private var binary: [UInt8]? {
        var bytes: [UInt8] = []
        switch self {
        case .null: return nil
        case .text: return text.map { Array($0.utf8) }
        case .bool(let value): bytes.append(value ? 1 : 0)
        case .int4(let value): bytes.appendInteger(value)
        case .int8(let value): bytes.appendInteger(value)
        case .float8(let value): bytes.appendInteger(value.bitPattern)
        case .numeric(let value): Self.append(value, into: &bytes)
        case .timestamptz(let moment): bytes.appendInteger(moment.microsecondsSince2000)
        }
        return bytes
    }

    /// `numeric_send`: count of digits to the base 10,000, weight of the first, sign, scale, the digits. Zeros at the end
    /// are left out.
    private static func append(_ value: UInt64, into bytes: inout [UInt8]) {
        var digits: [UInt16] = []
        var rest = value
        while rest > 0 {
            digits.insert(UInt16(rest % 10_000), at: 0)
            rest /= 10_000
        }
        let weight = max(0, digits.count - 1)
        while digits.last == 0 { digits.removeLast() }
        bytes.appendCount(digits.count)
        bytes.appendInteger(Int16(weight))
        bytes.appendInteger(UInt16(0))
        bytes.appendInteger(UInt16(0))
        for digit in digits { bytes.appendInteger(digit) }
    }
}
