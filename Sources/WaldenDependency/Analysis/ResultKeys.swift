import WaldenCore

/// Finds where a statement's output shows the keys of the rows it reads.
///
/// Of a query without grouping, DISTINCT, OFFSET, windows and set operations, the output before LIMIT is a union over
/// the rows of each table that stands in FROM once, on no nullable side of an outer join, and nowhere else: what one
/// row adds carries that row's columns. A row that is not in the output added nothing, so that nothing changes when it
/// goes. A LIMIT, with ties or without, keeps that true: a row beyond it is missed by nobody, for those within are
/// still the first ones of what is left.
struct ResultKeyFinder {
    /// A base relation in FROM.
    private struct Item {
        let relation: RelationEntry
        let name: String
        let schema: String?
        /// The relation's columns under the names by which the statement knows them.
        let columns: [(name: String, column: ColumnEntry)]
        let isNullable: Bool
    }

    /// One column of the output, if it is a column of an item as it stands.
    private typealias Output = (item: Int, column: ColumnEntry)?

    let resolver: NameResolver
    let tables: [TableOccurrence]
    private var items: [Item] = []
    /// FROM holds something whose columns are not followed.
    private var hasOthers = false
    /// JOIN USING, NATURAL or an alias of a join: names and `*` do not stand for what they seem to.
    private var mergesColumns = false

    init(resolver: NameResolver, tables: [TableOccurrence]) {
        self.resolver = resolver
        self.tables = tables
    }

    /// - Parameter predicates: Of each table occurrence; keys are only wanted where they tell more.
    /// - Returns: The plan, and for each table occurrence which of its keys is the occurrence's.
    mutating func plan(
        for query: Query, predicates: [PredicateTemplate]
    ) -> (plan: ResultKeyPlan, keyOfTable: [Int?])? {
        guard case .select(let core) = query.body, Self.addsRowByRow(core, query) else { return nil }
        for item in core.from { collect(item, query.commonTables, isNullable: false) }
        guard !items.isEmpty, let outputs = outputs(of: core.targets) else { return nil }
        var keys: [[ResultKeyPlan.Column]] = []
        var keyOfTable = [Int?](repeating: nil, count: tables.count)
        for (index, table) in tables.enumerated() {
            guard let key = key(of: table, outputs), predicates[index].isHelped(by: key) else { continue }
            keyOfTable[index] = keys.count
            keys.append(key)
        }
        return keys.isEmpty ? nil : (ResultKeyPlan(width: outputs.count, keys: keys), keyOfTable)
    }

    private static func addsRowByRow(_ core: SelectCore, _ query: Query) -> Bool {
        guard query.offset == nil, !core.isDistinct, core.distinctOn.isEmpty, core.groupBy.isEmpty, core.having == nil,
            core.windows.isEmpty
        else { return false }
        // An aggregate beside a plain column is an error without GROUP BY, so none need be looked for.
        return !(core.targets.map(\.expression) + query.orderBy).contains(where: \.hasWindow)
    }

    // MARK: FROM

    private mutating func collect(_ item: FromItem, _ commonTables: [CommonTable], isNullable: Bool) {
        switch item {
        case .relation(let name, let alias):
            if name.schema == nil, commonTables.contains(where: { $0.name == name.name }) {
                hasOthers = true
                return
            }
            guard let entry = try? resolver.relation(name) else {
                hasOthers = true
                return
            }
            let renamed = alias?.columnNames ?? []
            items.append(
                Item(
                    relation: entry, name: alias?.name ?? name.name, schema: alias == nil ? entry.schema : nil,
                    columns: entry.columns.enumerated().map { index, column in
                        (index < renamed.count ? renamed[index] : column.name, column)
                    }, isNullable: isNullable))
        case .subquery, .functions: hasOthers = true
        case .join(let join):
            switch join.condition {
            case .always, .on: break
            case .natural, .using: mergesColumns = true
            }
            if join.alias != nil || join.usingAlias != nil { mergesColumns = true }
            collect(join.left, commonTables, isNullable: isNullable || join.kind == .right || join.kind == .full)
            collect(join.right, commonTables, isNullable: isNullable || join.kind == .left || join.kind == .full)
        }
    }

    // MARK: Output

    /// The output columns in order; nil when their number is not certain.
    private func outputs(of targets: [Target]) -> [Output]? {
        if mergesColumns { return nil }
        var outputs: [Output] = []
        for target in targets {
            switch target.expression {
            case .star(let qualifier):
                guard let columns = star(qualifier) else { return nil }
                outputs += columns
            case .field(_, nil): return nil
            case .column(let parts): outputs.append(column(parts))
            default: outputs.append(nil)
            }
        }
        return outputs
    }

    private func star(_ qualifier: [String]) -> [Output]? {
        if qualifier.isEmpty, hasOthers { return nil }
        let meant = items.indices.filter { qualifies($0, qualifier[...]) }
        guard qualifier.isEmpty || meant.count == 1 else { return nil }
        return meant.flatMap { index in items[index].columns.map { (index, $0.column) } }
    }

    private func column(_ parts: [String]) -> Output {
        guard let name = parts.last, parts.count > 1 || !hasOthers else { return nil }
        let holders = items.indices.filter { index in
            qualifies(index, parts.dropLast()) && items[index].columns.contains { $0.name == name }
        }
        guard holders.count == 1, let column = items[holders[0]].columns.first(where: { $0.name == name })?.column
        else { return nil }
        return (holders[0], column)
    }

    private func qualifies(_ index: Int, _ qualifier: ArraySlice<String>) -> Bool {
        switch qualifier.count {
        case 0: true
        case 1: items[index].name == qualifier.first
        case 2: items[index].name == qualifier.last && items[index].schema == qualifier.first
        default: false
        }
    }

    // MARK: Keys

    /// The output's columns that hold the key of `table`; nil when its rows may contribute without showing it.
    private func key(of table: TableOccurrence, _ outputs: [Output]) -> [ResultKeyPlan.Column]? {
        let family = Set(table.family.map(\.id))
        guard tables.count(where: { $0.family.contains { family.contains($0.id) } }) == 1,
            let index = items.firstIndex(where: { $0.relation.id == table.relation.id }), !items[index].isNullable,
            let names = keyNames(of: table.relation)
        else { return nil }
        var key: [ResultKeyPlan.Column] = []
        for name in names {
            let position = outputs.firstIndex { $0?.item == index && $0?.column.name == name }
            guard let position, let column = outputs[position]?.column,
                let family = TypeProperties.family(of: column.type, in: resolver.catalog),
                ResultKeyPlan.Column.isReadable(family)
            else { return nil }
            let reference = ColumnReference(name: name, type: column.type, family: family)
            key.append(ResultKeyPlan.Column(reference: reference, position: position))
        }
        return key
    }

    /// The replica-identity columns that the relations with rows have in common; nil where they differ, or where the
    /// stream brings old rows in full.
    ///
    /// Nothing rests on their being a key: any columns will do whose old values the stream tells. Which ones it told
    /// of a change, the change itself says.
    private func keyNames(of relation: RelationEntry) -> [String]? {
        var found: [String]?
        for member in [relation] + resolver.catalog.descendants(of: relation) {
            if member.kind != .table || member.replicaIdentity == .full { continue }
            let names = member.columns.filter(\.isKey).map(\.name).sorted()
            if names.isEmpty { continue }
            if let found, found != names { return nil }
            found = names
        }
        return found
    }
}

extension PredicateTemplate {
    /// Whether a row that leaves is recognised by its key where the predicate alone would not do: an alternative asks
    /// for more than the key, and not for certain keys.
    fileprivate func isHelped(by key: [ResultKeyPlan.Column]) -> Bool {
        if alternatives.contains(where: \.isEmpty) { return false }
        return alternatives.contains { terms in
            !key.allSatisfy { column in terms.contains { $0.column == column.reference && $0.test.pinsValue } }
        }
    }
}

extension TestTemplate {
    fileprivate var pinsValue: Bool {
        switch self {
        case .compare(let comparison, _): comparison == .equal
        case .isIn, .isInArray: true
        case .isNull, .isNotNull, .like, .likeParameter: false
        }
    }
}
