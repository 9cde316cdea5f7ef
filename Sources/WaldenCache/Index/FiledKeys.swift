import WaldenDependency

/// The keys of the rows in one result, as the index files them: hashes, each key once.
struct FiledKeys {
    struct Key {
        let columns: [ColumnReference]
        /// For each key the hashes of its columns.
        let rows: [[UInt64]]
    }

    private let keys: [Key]

    /// Nil when the result's keys are not known, or are too many to be filed once per relation.
    init?(_ found: ResultKeys?, of dependencies: Dependencies) {
        guard let found, let plan = dependencies.resultKeys, found.values.count == plan.keys.count else { return nil }
        var keys: [Key] = []
        for (columns, values) in zip(plan.keys, found.values) {
            guard let rows = Self.distinct(values, width: columns.count) else { return nil }
            keys.append(Key(columns: columns.map(\.reference), rows: rows))
        }
        self.keys = keys
        let filed = dependencies.tables.reduce(0) { $0 + (key(of: $1)?.rows.count ?? 0) }
        if filed > Filing.maxKeys { return nil }
    }

    func key(of table: TableDependency) -> Key? {
        guard let number = table.resultKey, keys.indices.contains(number) else { return nil }
        return keys[number]
    }

    /// Nil when the values are not whole rows, or not all known: the index could not find those again.
    private static func distinct(_ values: [FieldValue], width: Int) -> [[UInt64]]? {
        guard width > 0, values.count % width == 0, !values.contains(.unknown) else { return nil }
        var seen: Set<[UInt64]> = []
        var rows: [[UInt64]] = []
        for start in stride(from: 0, to: values.count, by: width) {
            let row = values[start..<(start + width)].map(\.keyHash)
            if seen.insert(row).inserted { rows.append(row) }
        }
        return rows
    }
}

extension FieldValue {
    fileprivate var keyHash: UInt64 {
        switch self {
        case .known(let value): ValueHash.of(value)
        case .null: ValueHash.null
        case .unknown: 0
        }
    }
}
