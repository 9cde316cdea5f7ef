import WaldenCore

/// Reads one-dimensional arrays whose elements are compared with a column.
enum ArrayReading {
    /// Beyond this, nothing is concluded.
    static let elementLimit = 1000

    static func elements(
        _ bytes: borrowing RawSpan, isBinary: Bool, arrayType: TypeID, column: ColumnReference
    ) -> [Constant]? {
        guard let element = element(of: arrayType, column: column) else { return nil }
        return isBinary
            ? binaryElements(bytes, element: element, column: column)
            : textElements(bytes, element: element, column: column)
    }

    /// The element type of the array types that have fixed OIDs (`catalog/pg_type.dat`).
    private static func element(of array: TypeID, column: ColumnReference) -> TypeID? {
        switch array.rawValue {
        case 1000: .bool
        case 1001: .bytea
        case 1003: .name
        case 1005: .int2
        case 1007: .int4
        case 1009: .text
        case 1015: .varchar
        case 1016: .int8
        case 1028: .oid
        case 1115: .timestamp
        case 1182: .date
        case 1185: .timestamptz
        case 1231: .numeric
        case 2951: .uuid
        default: nil
        }
    }

    /// The array type of an element type.
    static func array(of element: TypeID) -> TypeID? {
        switch element {
        case .bool: TypeID(1000)
        case .bytea: TypeID(1001)
        case .name: TypeID(1003)
        case .int2: TypeID(1005)
        case .int4: TypeID(1007)
        case .text: TypeID(1009)
        case .varchar: TypeID(1015)
        case .int8: TypeID(1016)
        case .oid: TypeID(1028)
        case .timestamp: TypeID(1115)
        case .date: TypeID(1182)
        case .timestamptz: TypeID(1185)
        case .numeric: TypeID(1231)
        case .uuid: TypeID(2951)
        default: nil
        }
    }

    /// Reads the output of `array_send`: dimensions, a flag for nulls, the element type, each dimension's length and
    /// lower bound, then each element's length and bytes.
    private static func binaryElements(
        _ bytes: borrowing RawSpan, element: TypeID, column: ColumnReference
    ) -> [Constant]? {
        var cursor = ByteCursor()
        guard let dimensions = try? cursor.read(Int32.self, in: bytes),
            (try? cursor.read(Int32.self, in: bytes)) != nil,
            let type = try? cursor.read(UInt32.self, in: bytes), TypeID(type) == element
        else { return nil }
        if dimensions == 0 { return [] }
        guard dimensions == 1, let count = try? cursor.read(Int32.self, in: bytes), count >= 0,
            count <= elementLimit, (try? cursor.read(Int32.self, in: bytes)) != nil
        else { return nil }
        var constants: [Constant] = []
        for _ in 0..<count {
            guard let length = try? cursor.read(Int32.self, in: bytes) else { return nil }
            if length == -1 {
                constants.append(.null)
                continue
            }
            guard let range = try? cursor.take(Int(length), in: bytes) else { return nil }
            constants.append(
                ConstantReading.constant(bytes.extracting(range), isBinary: true, type: element, column: column))
        }
        return constants
    }

    /// Reads an array literal: `{1,2}`, `{"a b",c}`. One with nested braces, bounds or an unquoted NULL (whose meaning
    /// a setting decides) tells nothing.
    private static func textElements(
        _ bytes: borrowing RawSpan, element: TypeID, column: ColumnReference
    ) -> [Constant]? {
        guard let items = items(bytes) else { return nil }
        return items.map { ConstantReading.constant($0.span.bytes, isBinary: false, type: element, column: column) }
    }

    static func items(_ bytes: borrowing RawSpan) -> [[UInt8]]? {
        let count = bytes.byteCount
        guard count >= 2, bytes.isByte(UInt8(ascii: "{"), at: 0), bytes.isByte(UInt8(ascii: "}"), at: count - 1)
        else { return nil }
        if count == 2 { return [] }
        var items: [[UInt8]] = []
        var offset = 1
        while true {
            guard items.count < elementLimit, let item = item(bytes, &offset, end: count - 1) else { return nil }
            items.append(item)
            if offset == count - 1 { return items }
            guard bytes.byte(at: offset) == UInt8(ascii: ",") else { return nil }
            offset += 1
        }
    }

    private static func item(_ bytes: borrowing RawSpan, _ offset: inout Int, end: Int) -> [UInt8]? {
        var item: [UInt8] = []
        guard offset < end else { return nil }
        if bytes.byte(at: offset) == UInt8(ascii: "\"") {
            offset += 1
            while offset < end {
                let byte = bytes.byte(at: offset)
                offset += 1
                if byte == UInt8(ascii: "\"") { return item }
                if byte == UInt8(ascii: "\\") {
                    guard offset < end else { return nil }
                    item.append(bytes.byte(at: offset))
                    offset += 1
                } else {
                    item.append(byte)
                }
            }
            return nil
        }
        while offset < end, bytes.byte(at: offset) != UInt8(ascii: ",") {
            let byte = bytes.byte(at: offset)
            guard isPlain(byte) else { return nil }
            item.append(byte)
            offset += 1
        }
        let isNull = item.count == 4 && item.map { $0 | 0x20 } == Array("null".utf8)
        return item.isEmpty || isNull ? nil : item
    }

    /// Neither space, which is trimmed, nor a character with a meaning.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "\""), UInt8(ascii: "\\"): false
        default: true
        }
    }
}
