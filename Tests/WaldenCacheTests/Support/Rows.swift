import WaldenCore
import WaldenDependency

/// A column's value as a test writes it.
enum Cell: Hashable {
    case integer(Int64)
    case text(String)
    case null
    case notSent
    case unchangedToast
}

extension Cell: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByNilLiteral {
    init(integerLiteral value: Int64) { self = .integer(value) }
    init(stringLiteral value: String) { self = .text(value) }
    init(nilLiteral: ()) { self = .null }
}

/// Builds row changes as the stream would send them.
struct TestRelation {
    let description: RelationDescription

    /// Columns by name; those of `text` type are named in `text`, the others are int8.
    init(
        id: UInt32 = 100, _ columns: [String], text: Set<String> = [], key: Set<String> = [],
        identity: ReplicaIdentity = .default
    ) {
        description = RelationDescription(
            id: RelationID(id), namespace: "public", name: "t\(id)", replicaIdentity: identity,
            columns: columns.map {
                RelationDescription.Column(
                    name: $0, type: text.contains($0) ? .text : .int8, typeModifier: -1, isKey: key.contains($0))
            })
    }

    func insert(_ new: [Cell]) -> RowChange { change(.insert, old: nil, new: new) }
    func delete(_ old: [Cell]) -> RowChange { change(.delete, old: old, new: nil) }
    func update(_ old: [Cell]?, _ new: [Cell]) -> RowChange { change(.update, old: old, new: new) }

    private func change(_ kind: RowChange.Kind, old: [Cell]?, new: [Cell]?) -> RowChange {
        var bytes: [UInt8] = []
        let oldFields = old?.map { Self.field($0, &bytes) }
        let newFields = new?.map { Self.field($0, &bytes) }
        return RowChange(kind: kind, relation: description, bytes: bytes, old: oldFields, new: newFields)
    }

    private static func field(_ cell: Cell, _ bytes: inout [UInt8]) -> Field {
        switch cell {
        case .integer(let value): return append(String(value), &bytes)
        case .text(let value): return append(value, &bytes)
        case .null: return Field(kind: .null)
        case .notSent: return Field(kind: .notSent)
        case .unchangedToast: return Field(kind: .unchangedToast)
        }
    }

    private static func append(_ text: String, _ bytes: inout [UInt8]) -> Field {
        let offset = UInt32(bytes.count)
        bytes += Array(text.utf8)
        return Field(kind: .text, offset: offset, length: UInt32(text.utf8.count))
    }
}

/// Writing predicates briefly.
func column(_ name: String) -> ColumnReference {
    ColumnReference(name: name, type: .int8, family: .integer)
}

func textColumn(_ name: String) -> ColumnReference {
    ColumnReference(name: name, type: .text, family: .text)
}

func equal(_ name: String, _ values: Int64...) -> Term {
    Term(column: column(name), test: .isIn(values.sorted().map { .integer($0) }))
}

func within(_ name: String, _ lower: Bound, _ upper: Bound) -> Term {
    Term(column: column(name), test: .isWithin(lower: lower, upper: upper))
}

func depends(on relation: UInt32 = 100, columns: Set<String>? = nil, _ alternatives: [Term]...) -> Dependencies {
    Dependencies(tables: [
        TableDependency(
            relation: RelationID(relation), columns: columns,
            predicate: Predicate(alternatives: alternatives.map(Conjunction.init)))
    ])
}
