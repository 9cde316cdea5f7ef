import WaldenCore
import WaldenDependency

/// The columns of one relation that predicates name, numbered, and where they stand in the stream's row images.
struct RelationIndex: Sendable {
    private struct Column: Sendable {
        let reference: ColumnReference
        var position = -1
        var isKey = false
    }

    private var columns: [Column] = []
    private var numbers: [ColumnReference: Int] = [:]
    private var description: RelationDescription?
    /// Grows with each new shape of the relation.
    private(set) var shape = 0
    /// The groups with entries on this relation.
    var groups: [Int32] = []

    var columnCount: Int { columns.count }

    func name(of number: Int) -> String { columns[number].reference.name }

    mutating func number(of column: ColumnReference) -> Int {
        if let number = numbers[column] { return number }
        numbers[column] = columns.count
        columns.append(Column(reference: column))
        resolve(columns.count - 1)
        return columns.count - 1
    }

    /// Looks the columns up in the shape that a change names; nothing to do unless it is a new one.
    mutating func use(_ description: RelationDescription) {
        if self.description === description { return }
        self.description = description
        shape += 1
        for number in columns.indices { resolve(number) }
    }

    func value(of number: Int, in image: RowImage) -> FieldValue {
        let column = columns[number]
        return image.value(of: column.reference, at: column.position, isKey: column.isKey)
    }

    /// Positions of these names and whether each is part of the key; nil when one is not in the images.
    func positions(of names: Set<String>) -> [ReferencedColumn]? {
        guard let description else { return nil }
        var positions: [ReferencedColumn] = []
        for name in names {
            guard let position = description.columns.firstIndex(where: { $0.name == name }) else { return nil }
            positions.append(ReferencedColumn(position: position, isKey: description.columns[position].isKey))
        }
        return positions
    }

    private mutating func resolve(_ number: Int) {
        let reference = columns[number].reference
        let position = description?.columns.firstIndex { $0.name == reference.name && $0.type == reference.type }
        columns[number].position = position ?? -1
        columns[number].isKey = position.map { description?.columns[$0].isKey ?? false } ?? false
    }
}

struct ReferencedColumn: Hashable, Sendable {
    let position: Int
    let isKey: Bool
}
