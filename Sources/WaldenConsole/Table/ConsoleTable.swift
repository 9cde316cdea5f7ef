import WaldenWire

/// A column of an answer.
public struct ConsoleColumn: Hashable, Sendable {
    public let name: String
    public let type: ColumnType

    public init(_ name: String, _ type: ColumnType) {
        self.name = name
        self.type = type
    }
}

/// An answer of rows.
public struct ConsoleTable: Hashable, Sendable {
    public let columns: [ConsoleColumn]
    /// Each with a value, or null, of its column's type in each column.
    public let rows: [[ConsoleValue]]
    /// Rows that were left out because there were too many.
    public let omitted: Int

    public init(columns: [ConsoleColumn], rows: [[ConsoleValue]], omitted: Int = 0) {
        self.columns = columns
        self.rows = rows
        self.omitted = omitted
    }

    /// The table that rows of one kind make.
    public init<Row: ConsoleRow>(_ rows: [Row], omitted: Int = 0) {
        self.init(
            columns: Row.shape, rows: rows.map { row in Row.columns.map { $0.value(row) } }, omitted: omitted)
    }
}

/// One row of a view, as a plain struct, and how its properties become columns.
public protocol ConsoleRow: Hashable, Sendable {
    static var columns: [RowColumn<Self>] { get }
}

extension ConsoleRow {
    static var shape: [ConsoleColumn] { columns.map { ConsoleColumn($0.name, $0.type) } }
}

/// One column of a view: its name, type and meaning, and the value it has in a row.
public struct RowColumn<Row>: Sendable {
    let name: String
    let type: ColumnType
    /// For docs/operating.md.
    let meaning: String
    let value: @Sendable (Row) -> ConsoleValue

    static func text(
        _ name: String, _ meaning: String, _ value: @escaping @Sendable (Row) -> String?
    ) -> RowColumn {
        RowColumn(name: name, type: .text, meaning: meaning) { value($0).map(ConsoleValue.text) ?? .null }
    }

    static func bool(_ name: String, _ meaning: String, _ value: @escaping @Sendable (Row) -> Bool) -> RowColumn {
        RowColumn(name: name, type: .bool, meaning: meaning) { .bool(value($0)) }
    }

    /// Saturates.
    static func int4(_ name: String, _ meaning: String, _ value: @escaping @Sendable (Row) -> Int?) -> RowColumn {
        RowColumn(name: name, type: .int4, meaning: meaning) {
            value($0).map { .int4(Int32(clamping: $0)) } ?? .null
        }
    }

    /// Saturates.
    static func int8(_ name: String, _ meaning: String, _ value: @escaping @Sendable (Row) -> UInt64?) -> RowColumn {
        RowColumn(name: name, type: .int8, meaning: meaning) {
            value($0).map { .int8(Int64(clamping: $0)) } ?? .null
        }
    }

    static func float8(_ name: String, _ meaning: String, _ value: @escaping @Sendable (Row) -> Double?) -> RowColumn {
        RowColumn(name: name, type: .float8, meaning: meaning) { value($0).map(ConsoleValue.float8) ?? .null }
    }

    static func numeric(_ name: String, _ meaning: String, _ value: @escaping @Sendable (Row) -> UInt64) -> RowColumn {
        RowColumn(name: name, type: .numeric, meaning: meaning) { .numeric(value($0)) }
    }

    static func timestamptz(
        _ name: String, _ meaning: String, _ value: @escaping @Sendable (Row) -> WallTime?
    ) -> RowColumn {
        RowColumn(name: name, type: .timestamptz, meaning: meaning) {
            value($0).map(ConsoleValue.timestamptz) ?? .null
        }
    }
}
