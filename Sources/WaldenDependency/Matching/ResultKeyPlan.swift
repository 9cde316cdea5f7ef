/// Where a result shows the replica-identity keys of the rows that it was made of.
///
/// A row that contributed to such a result left the values of these columns in it. So an old row whose values are
/// known, and not among the result's, contributed nothing, whatever else is known of it.
public struct ResultKeyPlan: Hashable, Sendable {
    public struct Column: Hashable, Sendable {
        public let reference: ColumnReference
        /// Among the output columns, from 0.
        public let position: Int

        public init(reference: ColumnReference, position: Int) {
            self.reference = reference
            self.position = position
        }
    }

    /// How many output columns the result has. A row with another number was not made by the statement as analysed.
    public let width: Int
    /// The columns of one table's key each; `TableDependency.resultKey` tells which. None is empty.
    public let keys: [[Column]]

    public init(width: Int, keys: [[Column]]) {
        self.width = width
        self.keys = keys
    }
}

extension ResultKeyPlan.Column {
    /// Reads the column's value out of a result row; nil when it is not what the type's output looks like.
    ///
    /// Only for types whose text is the same in every session with client encoding UTF8, see `isReadable`.
    public func value(in field: borrowing RawSpan, isBinary: Bool) -> Value? {
        guard Self.isReadable(reference.family) else { return nil }
        return isBinary
            ? FieldDecoding.binary(field, type: reference.type, family: reference.family)
            : FieldDecoding.text(field, family: reference.family)
    }

    /// Whether values of the family read alike in the stream and in any session's results: the text of dates depends
    /// on DateStyle and TimeZone, that of bytea on bytea_output, an enum's on its current labels.
    static func isReadable(_ family: ValueFamily) -> Bool {
        switch family {
        case .integer, .oid, .boolean, .uuid, .text: true
        case .date, .timestamp, .timestamptz, .numeric, .bytea, .enumeration, .bpchar, .float: false
        }
    }
}

/// The keys found in one result, by the keys of its `ResultKeyPlan`.
public struct ResultKeys: Hashable, Sendable {
    /// For each key of the plan the values of its columns, row after row.
    public let values: [[FieldValue]]

    public init(values: [[FieldValue]]) {
        self.values = values
    }
}
