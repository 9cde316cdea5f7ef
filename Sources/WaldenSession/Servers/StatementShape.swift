import WaldenCore
import WaldenWire

/// What PostgreSQL holds a prepared statement to from its Parse on (`utils/cache/plancache.c`): the types of its
/// parameters, and names, types and type modifiers of its result's columns.
struct StatementShape: Hashable {
    struct Column: Hashable {
        /// Nil when it is not ASCII: then its bytes are those of an encoding, which sessions change.
        let name: String?
        let type: UInt32
        let typeModifier: Int32
    }

    /// Nil: the client was told of the result alone.
    let parameters: [UInt32]?
    /// Nil: it returns no rows.
    let columns: [Column]?

    static let nothing = StatementShape(parameters: [], columns: nil)

    /// Whether a statement of shape `other` is still one of this shape.
    func isKept(by other: StatementShape) -> Bool {
        columns == other.columns && (parameters == nil || parameters == other.parameters)
    }

    /// As the body of a RowDescription that answered Describe of a portal tells; empty: it was NoData.
    ///
    /// - Throws: what `RowDescription` does.
    init(portal body: [UInt8]) throws(WireError) {
        parameters = nil
        columns =
            body.isEmpty
            ? nil : try RowDescription(in: body.span.bytes, body: 0..<body.count).columns.map(Column.init)
    }

    init(parameters: [UInt32]?, columns: [Column]?) {
        self.parameters = parameters
        self.columns = columns
    }
}

extension StatementShape.Column {
    /// What PostgreSQL compares of a column (`equalTupleDescs`), as far as a client is told of it.
    init(_ column: RowDescription.Column) {
        name = column.name.utf8.allSatisfy { $0 < 0x80 } ? column.name : nil
        type = column.type.rawValue
        typeModifier = column.typeModifier
    }
}
