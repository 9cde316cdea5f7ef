import WaldenDependency

/// The keys of the rows in one result, as the index files them: hashes, each key once.
struct FiledKeys {
    struct Key {
        let columns: [ColumnReference]
        /// The hashes of the columns, key after key.
        let hashes: [UInt64]

        var count: Int { hashes.count / columns.count }
    }

    private let keys: [Key]

    /// Nil when the result's keys are not known, or are too many to be filed once per relation.
    init?(_ found: ResultKeys?, of dependencies: Dependencies) {
        guard let found, let plan = dependencies.resultKeys, found.values.count == plan.keys.count else { return nil }
        var keys: [Key] = []
        for (columns, values) in zip(plan.keys, found.values) {
            guard let hashes = Self.distinct(values, width: columns.count) else { return nil }
            keys.append(Key(columns: columns.map(\.reference), hashes: hashes))
        }
        self.keys = keys
        let filed = dependencies.tables.reduce(0) { $0 + (key(of: $1)?.count ?? 0) }
        if filed > Filing.maxKeys { return nil }
    }

    func key(of table: TableDependency) -> Key? {
        guard let number = table.resultKey, keys.indices.contains(number) else { return nil }
        return keys[number]
    }

    /// Whether one of the rows is in the result.
    func hold(anyOf rows: LeavingRows) -> Bool {
        if rows.isEmpty { return false }
        for (number, key) in keys.enumerated() {
            let width = key.columns.count
            for start in stride(from: 0, to: key.hashes.count, by: width) {
                let hash = key.hashes[start..<(start + width)].reduce(ValueHash.empty, ValueHash.combine)
                if rows.contains(key: number, hash: hash) { return true }
            }
        }
        return false
    }

    /// Nil when the values are not whole rows, or not all known: the index could not find those again.
    private static func distinct(_ values: [FieldValue], width: Int) -> [UInt64]? {
        guard width > 0, values.count % width == 0 else { return nil }
        var seen: Set<UInt64> = []
        var hashes: [UInt64] = []
        hashes.reserveCapacity(values.count)
        for start in stride(from: 0, to: values.count, by: width) {
            var row = ValueHash.empty
            for value in values[start..<(start + width)] {
                let hash: UInt64
                switch value {
                case .known(let known): hash = ValueHash.of(known)
                case .null: hash = ValueHash.null
                case .unknown: return nil
                }
                hashes.append(hash)
                row = ValueHash.combine(row, hash)
            }
            if !seen.insert(row).inserted { hashes.removeLast(width) }
        }
        return hashes
    }
}
