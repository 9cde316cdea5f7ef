import WaldenCore
import WaldenDependency

/// An entry that a change may affect.
struct Match: Hashable, Sendable {
    let entry: Int32
    /// False when only a value that the stream did not tell speaks for it.
    let isCertain: Bool
}

/// Finds the entries that a row change may affect.
struct PredicateIndex {
    private var entriesOf: [RelationID: Set<Int32>] = [:]
    private var dependenciesOf: [Int32: Dependencies] = [:]

    /// Files the entry; returns the bytes that this took, about.
    mutating func insert(_ entry: Int32, _ dependencies: Dependencies) -> Int {
        dependenciesOf[entry] = dependencies
        for table in dependencies.tables { entriesOf[table.relation, default: []].insert(entry) }
        return 128 * dependencies.tables.count
    }

    mutating func remove(_ entry: Int32) {
        guard let dependencies = dependenciesOf.removeValue(forKey: entry) else { return }
        for table in dependencies.tables { entriesOf[table.relation]?.remove(entry) }
    }

    mutating func match(_ change: RowChange, into matches: inout [Match]) {
        for entry in entriesOf[change.relation.id] ?? [] { matches.append(Match(entry: entry, isCertain: true)) }
    }

    func matchAll(of relation: RelationID, into matches: inout [Match]) {
        for entry in entriesOf[relation] ?? [] { matches.append(Match(entry: entry, isCertain: true)) }
    }

    mutating func removeAll() {
        self = PredicateIndex()
    }
}
