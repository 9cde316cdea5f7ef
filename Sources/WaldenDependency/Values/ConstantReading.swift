import WaldenCore

/// Reads constants as input functions do, as far as the result depends on no setting; anything else is unknown.
enum ConstantReading {
    /// A constant of type `type` beside `column`, whose type may differ from it.
    static func constant(
        _ bytes: borrowing RawSpan, isBinary: Bool, type: TypeID, column: ColumnReference
    ) -> Constant {
        switch (type, column.family) {
        case (.int2, .integer), (.int4, .integer), (.int8, .integer):
            let value =
                isBinary ? FieldDecoding.binary(bytes, type: type, family: .integer) : integerText(bytes)
            return value.map { .value($0) } ?? .unknown
        case (.int2, .numeric), (.int4, .numeric), (.int8, .numeric):
            let value =
                isBinary ? FieldDecoding.binary(bytes, type: type, family: .integer) : integerText(bytes)
            guard case .integer(let integer)? = value else { return .unknown }
            return DecimalNumber(integer).asNumeric
        case (.numeric, .integer):
            return decimal(bytes, isBinary: isBinary)?.asInteger ?? .unknown
        case (.numeric, .numeric):
            return decimal(bytes, isBinary: isBinary)?.asNumeric ?? .unknown
        case (.int2, .float), (.int4, .float), (.int8, .float):
            let value =
                isBinary ? FieldDecoding.binary(bytes, type: type, family: .integer) : integerText(bytes)
            guard case .integer(let integer)? = value else { return .unknown }
            return .value(FloatOrder.value(Double(integer)))
        // A float4 beside another type is widened, so the other is read as a float8.
        case (.numeric, .float), (.float4, .float), (.float8, .float):
            if isBinary {
                return FieldDecoding.binary(bytes, type: type, family: .float).map { .value($0) } ?? .unknown
            }
            return FloatOrder.read(bytes, type: type).map { .value(FloatOrder.value($0)) } ?? .unknown
        case (.text, .text), (.varchar, .text):
            return .value(.bytes(bytes.copy(0..<bytes.byteCount)))
        case (.date, .timestamp):
            let value = isBinary ? FieldDecoding.binary(bytes, type: .date, family: .date) : text(bytes, family: .date)
            guard case .integer(let day)? = value else { return .unknown }
            return midnight(of: day)
        // Longer ones are cut when they are read as a name.
        case (.name, .text): return bytes.byteCount < 64 ? .value(.bytes(bytes.copy(0..<bytes.byteCount))) : .unknown
        case (column.type, let family):
            let value =
                isBinary ? FieldDecoding.binary(bytes, type: type, family: family) : text(bytes, family: family)
            return value.map { .value($0) } ?? .unknown
        default: return .unknown
        }
    }

    /// A literal or text parameter read by the input function of the column's own type.
    static func text(_ bytes: borrowing RawSpan, family: ValueFamily) -> Value? {
        switch family {
        case .integer: integerText(bytes)
        case .oid: bytes.isByte(UInt8(ascii: "-"), at: 0) ? nil : FieldDecoding.text(bytes, family: .oid)
        case .boolean: boolean(bytes)
        case .timestamp:
            FieldDecoding.text(bytes, family: .timestamp)
                ?? CalendarText.date(bytes).flatMap { CalendarText.instant(day: $0, microseconds: 0) }
                .map { .integer($0) }
        case .bytea:
            HexText.bytea(bytes).map { .bytes($0) } ?? plainBytea(bytes)
        case .text, .enumeration, .date, .timestamptz, .numeric, .uuid, .bpchar, .float:
            FieldDecoding.text(bytes, family: family)
        }
    }

    private static func integerText(_ bytes: borrowing RawSpan) -> Value? {
        IntegerText.parse(bytes).map { .integer($0) }
    }

    /// The unambiguous spellings among those of `parse_bool`.
    private static func boolean(_ bytes: borrowing RawSpan) -> Value? {
        if bytes.equals("t") || bytes.equals("true") || bytes.equals("TRUE") || bytes.equals("1") {
            return .integer(1)
        }
        if bytes.equals("f") || bytes.equals("false") || bytes.equals("FALSE") || bytes.equals("0") {
            return .integer(0)
        }
        return nil
    }

    /// The escape form of bytea without anything escaped.
    private static func plainBytea(_ bytes: borrowing RawSpan) -> Value? {
        for offset in 0..<bytes.byteCount where bytes.byte(at: offset) == UInt8(ascii: "\\") { return nil }
        return .bytes(bytes.copy(0..<bytes.byteCount))
    }

    private static func decimal(_ bytes: borrowing RawSpan, isBinary: Bool) -> DecimalNumber? {
        isBinary ? DecimalNumber(binary: bytes) : DecimalNumber(text: bytes)
    }

    /// A date beside timestamps: its midnight.
    static func midnight(of day: Int64) -> Constant {
        switch day {
        case CalendarText.dateInfinity: .value(.integer(.max))
        case CalendarText.dateMinusInfinity: .value(.integer(.min))
        default: CalendarText.instant(day: day, microseconds: 0).map { .value(.integer($0)) } ?? .unknown
        }
    }
}

extension DecimalNumber {
    var asNumeric: Constant {
        orderedBytes.map { .value(.bytes($0)) } ?? .unknown
    }
}
