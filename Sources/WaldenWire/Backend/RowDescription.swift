public import WaldenCore

/// RowDescription: the columns of the rows that follow or would follow (Message Formats, RowDescription).
public struct RowDescription: BackendMessage {
    public static var tagByte: UInt8 { BackendTag.rowDescription.rawValue }

    public struct Column: Hashable, Sendable {
        public var name: String
        /// The table the column is read from; OID 0 when it is computed.
        public var relation: RelationID
        /// The attribute number within the table; 0 when the column is computed.
        public var attributeNumber: Int16
        public var type: TypeID
        /// `pg_type.typlen`, in bytes; negative when variable.
        public var typeSize: Int16
        /// `pg_attribute.atttypmod`; -1 when there is none.
        public var typeModifier: Int32
        /// Text in an answer to Describe of a statement, where it is not yet known.
        public var format: FormatCode

        public init(
            name: String, relation: RelationID = RelationID(0), attributeNumber: Int16 = 0, type: TypeID,
            typeSize: Int16, typeModifier: Int32 = -1, format: FormatCode = .text
        ) {
            self.name = name
            self.relation = relation
            self.attributeNumber = attributeNumber
            self.type = type
            self.typeSize = typeSize
            self.typeModifier = typeModifier
            self.format = format
        }
    }

    public var columns: [Column]

    public init(_ columns: [Column]) {
        self.columns = columns
    }

    /// - Throws: `truncated`, `unterminatedString`, `unexpectedValue` or `trailingBytes`. What is not UTF-8 in a name
    ///   is replaced.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        // An empty name with its zero, and 18 bytes of numbers.
        let count = try reader.readCount(bytesEach: 19, in: bytes)
        columns = []
        columns.reserveCapacity(count)
        for _ in 0..<count {
            columns.append(
                Column(
                    name: try reader.readLossyCString(in: bytes),
                    relation: RelationID(try reader.read(UInt32.self, in: bytes)),
                    attributeNumber: try reader.read(Int16.self, in: bytes),
                    type: TypeID(try reader.read(UInt32.self, in: bytes)),
                    typeSize: try reader.read(Int16.self, in: bytes),
                    typeModifier: try reader.read(Int32.self, in: bytes),
                    format: try reader.readFormat(in: bytes)
                )
            )
        }
        try reader.finish()
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.appendCount(columns.count)
        for column in columns {
            bytes.appendCString(column.name)
            bytes.appendInteger(column.relation.rawValue)
            bytes.appendInteger(column.attributeNumber)
            bytes.appendInteger(column.type.rawValue)
            bytes.appendInteger(column.typeSize)
            bytes.appendInteger(column.typeModifier)
            bytes.appendInteger(column.format.rawValue)
        }
    }
}
