public import WaldenCore

/// Reads column values of row images. Text forms are those of the replication connection's settings: DateStyle ISO,
/// TimeZone UTC, bytea_output hex, UTF-8. What does not read exactly as expected is unknown.
public enum FieldDecoding {
    /// The value of `field`, whose column has the type `type` and is compared within `family`.
    public static func value(of field: Field, bytes: [UInt8], type: TypeID, family: ValueFamily) -> FieldValue {
        switch field.kind {
        case .null: return .null
        case .unchangedToast, .notSent: return .unknown
        case .text, .binary:
            let range = field.range
            guard range.upperBound <= bytes.count else { return .unknown }
            let span = bytes.span.bytes.extracting(range)
            let value =
                field.kind == .text
                ? text(span, family: family) : binary(span, type: type, family: family)
            return value.map { .known($0) } ?? .unknown
        }
    }

    static func text(_ span: borrowing RawSpan, family: ValueFamily) -> Value? {
        switch family {
        case .integer: IntegerText.parse(span).map { .integer($0) }
        case .oid: IntegerText.parse(span).flatMap { UInt32(exactly: $0) }.map { .integer(Int64($0)) }
        case .boolean: boolean(span)
        case .date: CalendarText.date(span).map { .integer($0) }
        case .timestamp: CalendarText.timestamp(span, zone: .absent).map { .integer($0) }
        case .timestamptz: CalendarText.timestamp(span, zone: .required).map { .integer($0) }
        case .numeric: DecimalNumber(text: span)?.orderedBytes.map { .bytes($0) }
        case .text, .enumeration: .bytes(span.copy(0..<span.byteCount))
        case .bytea: HexText.bytea(span).map { .bytes($0) }
        case .uuid: HexText.uuid(span).map { .bytes($0) }
        case .bpchar: .bytes(unpadded(span))
        // How it was rounded depends on the type, which is not known here.
        case .float: nil
        }
    }

    static func binary(_ span: borrowing RawSpan, type: TypeID, family: ValueFamily) -> Value? {
        switch family {
        case .integer:
            switch type {
            case .int2: return load(Int16.self, span).map { .integer(Int64($0)) }
            case .int4: return load(Int32.self, span).map { .integer(Int64($0)) }
            case .int8: return load(Int64.self, span).map { .integer($0) }
            default: return nil
            }
        case .oid: return load(UInt32.self, span).map { .integer(Int64($0)) }
        case .boolean:
            guard let byte = load(UInt8.self, span), byte < 2 else { return nil }
            return .integer(Int64(byte))
        case .date: return load(Int32.self, span).map { .integer(Int64($0)) }
        case .timestamp, .timestamptz: return load(Int64.self, span).map { .integer($0) }
        case .numeric: return DecimalNumber(binary: span)?.orderedBytes.map { .bytes($0) }
        case .text, .enumeration, .bytea: return .bytes(span.copy(0..<span.byteCount))
        case .uuid: return span.byteCount == 16 ? .bytes(span.copy(0..<16)) : nil
        case .bpchar: return .bytes(unpadded(span))
        case .float:
            switch type {
            case .float4: return load(UInt32.self, span).map { FloatOrder.value(Double(Float(bitPattern: $0))) }
            case .float8: return load(UInt64.self, span).map { FloatOrder.value(Double(bitPattern: $0)) }
            default: return nil
            }
        }
    }

    private static func load<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ type: Integer.Type, _ span: borrowing RawSpan
    ) -> Integer? {
        guard span.byteCount == MemoryLayout<Integer>.size else { return nil }
        return Integer(bigEndian: span.unsafeLoadUnaligned(as: Integer.self))
    }

    /// Without the trailing spaces, which `bpchar` does not compare.
    private static func unpadded(_ span: borrowing RawSpan) -> [UInt8] {
        var end = span.byteCount
        while end > 0, span.byte(at: end - 1) == 0x20 { end -= 1 }
        return span.copy(0..<end)
    }

    private static func boolean(_ span: borrowing RawSpan) -> Value? {
        guard span.byteCount == 1 else { return nil }
        switch span.byte(at: 0) {
        case UInt8(ascii: "t"): return .integer(1)
        case UInt8(ascii: "f"): return .integer(0)
        default: return nil
        }
    }
}

extension RawSpan {
    /// The byte at `offset`, which must lie within.
    func byte(at offset: Int) -> UInt8 {
        unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// The value of the decimal digit at `offset`; nil when there is none.
    func digit(at offset: Int) -> UInt8? {
        guard offset < byteCount else { return nil }
        let digit = byte(at: offset) &- UInt8(ascii: "0")
        return digit < 10 ? digit : nil
    }

    func isByte(_ byte: UInt8, at offset: Int) -> Bool {
        offset < byteCount && self.byte(at: offset) == byte
    }

    func equals(_ text: StaticString) -> Bool {
        guard byteCount == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { other in
            for offset in 0..<byteCount where byte(at: offset) != other[offset] { return false }
            return true
        }
    }
}
