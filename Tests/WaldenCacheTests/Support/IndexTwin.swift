import WaldenCore
import WaldenDependency

/// The dumb twin of the predicate index: a list of entries, each evaluated for each change.
struct IndexTwin {
    private(set) var entries: [Int32: (dependencies: Dependencies, keys: ResultKeys?)] = [:]

    mutating func insert(_ entry: Int32, _ dependencies: Dependencies, _ keys: ResultKeys? = nil) {
        entries[entry] = (dependencies, keys)
    }

    mutating func remove(_ entry: Int32) {
        entries[entry] = nil
    }

    func matches(_ change: RowChange) -> Set<Int32> {
        Set(
            entries.filter { entry in
                let (dependencies, keys) = entry.value
                return dependencies.tables.contains { table in
                    affects(table, change, plan: dependencies.resultKeys, keys: keys)
                }
            }.keys)
    }

    private func affects(
        _ table: TableDependency, _ change: RowChange, plan: ResultKeyPlan?, keys: ResultKeys?
    ) -> Bool {
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
        if let number = table.resultKey, let plan, let keys {
            let columns = plan.keys[number].map(\.reference)
            return mayHold(table, change, image(change, old: false))
                || contributed(columns, keys.values[number], change, image(change, old: true))
        }
        return [image(change, old: true), image(change, old: false)].contains { mayHold(table, change, $0) }
    }

    /// Whether an old row's key, as far as it is known, is among those of a result.
    private func contributed(
        _ columns: [ColumnReference], _ keys: [FieldValue], _ change: RowChange, _ image: [Field]?
    ) -> Bool {
        guard let image else { return false }
        let wanted = columns.map { value(of: $0, change, image) }
        return stride(from: 0, to: keys.count, by: columns.count).contains { start in
            columns.indices.allSatisfy { wanted[$0] == .unknown || wanted[$0] == keys[start + $0] }
        }
    }

    private func mayHold(_ table: TableDependency, _ change: RowChange, _ image: [Field]?) -> Bool {
        guard let image else { return false }
        return table.predicate.evaluate { value(of: $0, change, image) }.mayHold
    }

    private func value(of column: ColumnReference, _ change: RowChange, _ image: [Field]) -> FieldValue {
        guard
            let position = change.relation.columns.firstIndex(where: {
                $0.name == column.name && $0.type == column.type
            })
        else { return .unknown }
        return FieldDecoding.value(
            of: image[position], bytes: change.bytes, type: column.type, family: column.family)
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
