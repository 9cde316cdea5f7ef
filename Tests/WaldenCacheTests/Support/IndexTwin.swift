import WaldenCore
import WaldenDependency

/// The dumb twin of the predicate index: a list of entries, each evaluated for each change.
struct IndexTwin {
    private(set) var entries: [Int32: Dependencies] = [:]

    mutating func insert(_ entry: Int32, _ dependencies: Dependencies) {
        entries[entry] = dependencies
    }

    mutating func remove(_ entry: Int32) {
        entries[entry] = nil
    }

    func matches(_ change: RowChange) -> Set<Int32> {
        Set(entries.filter { $0.value.tables.contains { affects($0, change) } }.keys)
    }

    private func affects(_ table: TableDependency, _ change: RowChange) -> Bool {
        guard table.relation == change.relation.id else { return false }
        if change.kind == .update, let names = table.columns {
            let untouched = names.allSatisfy { name in
                guard let position = change.relation.columns.firstIndex(where: { $0.name == name }) else {
                    return false
                }
                return isUnchanged(change, position)
            }
            if untouched { return false }
        }
        return [image(change, old: true), image(change, old: false)].contains { image in
            guard let image else { return false }
            return table.predicate.evaluate { column in
                guard
                    let position = change.relation.columns.firstIndex(where: {
                        $0.name == column.name && $0.type == column.type
                    })
                else { return .unknown }
                return FieldDecoding.value(
                    of: image[position], bytes: change.bytes, type: column.type, family: column.family)
            }.mayHold
        }
    }

    private func image(_ change: RowChange, old: Bool) -> [Field]? {
        if !old { return change.new }
        if let fields = change.old { return fields }
        guard change.kind == .update, let new = change.new else { return nil }
        return new.indices.map { change.relation.columns[$0].isKey ? new[$0] : Field(kind: .notSent) }
    }

    private func isUnchanged(_ change: RowChange, _ position: Int) -> Bool {
        guard let new = change.new?[position] else { return false }
        if new.kind == .unchangedToast { return true }
        guard let old = change.old?[position] else { return change.relation.columns[position].isKey }
        if old.kind == .null || new.kind == .null { return old.kind == new.kind }
        guard old.kind == .text, new.kind == .text else { return false }
        return change.bytes[old.range] == change.bytes[new.range]
    }
}
