import WaldenCore
import WaldenDependency

/// An old row that may have contributed to a result whose keys are not known yet.
struct LeavingRow: Hashable, Sendable {
    /// Which key of the result's plan.
    let key: Int
    /// Of the key's values, as `FiledKeys` hashes them.
    let hash: UInt64

    /// Nil when the result will not tell: the table shows no key in it, or the change does not tell the row's.
    init?(of change: RowChange, under dependencies: Dependencies) {
        var tables = dependencies.tables.lazy.filter { $0.relation == change.relation.id }.makeIterator()
        guard let table = tables.next(), tables.next() == nil, let key = table.resultKey,
            let plan = dependencies.resultKeys, plan.keys.indices.contains(key), let image = change.oldImage
        else { return nil }
        let columns = change.relation.columns
        var hash = ValueHash.empty
        for column in plan.keys[key].map(\.reference) {
            guard let position = columns.firstIndex(where: { $0.name == column.name && $0.type == column.type })
            else { return nil }
            switch image.value(of: column, at: position, isKey: columns[position].isKey) {
            case .known(let value): hash = ValueHash.combine(hash, ValueHash.of(value))
            case .null: hash = ValueHash.combine(hash, ValueHash.null)
            case .unknown: return nil
            }
        }
        self.key = key
        self.hash = hash
    }
}

/// Rows that changed while a query ran whose result will show keys: judged when it has completed. Whether each
/// contributed to the result, the result's keys tell as well afterwards as they would have at once.
struct LeavingRows: Sendable {
    /// So many are noted; past that the fill is tainted.
    static let limit = 64

    private var rows: Set<LeavingRow> = []

    var isEmpty: Bool { rows.isEmpty }

    /// False when there is no room.
    mutating func note(_ row: LeavingRow) -> Bool {
        if rows.contains(row) { return true }
        guard rows.count < Self.limit else { return false }
        rows.insert(row)
        return true
    }

    func contains(key: Int, hash: UInt64) -> Bool {
        rows.contains(LeavingRow(key: key, hash: hash))
    }
}

extension LeavingRow {
    fileprivate init(key: Int, hash: UInt64) {
        self.key = key
        self.hash = hash
    }
}
