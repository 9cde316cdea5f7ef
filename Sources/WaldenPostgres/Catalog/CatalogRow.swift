internal import WaldenCore
internal import WaldenDependency

/// One row of a catalog query. What cannot be read as the entry that it should be, e.g. a kind of relation that a newer
/// server has, is left out of the snapshot: a statement that names it is then not understood and not cached.
struct CatalogRow {
    private let values: [String?]

    init(_ values: [String?]) {
        self.values = values
    }

    func text(_ index: Int) -> String? {
        index < values.count ? values[index] : nil
    }

    private func flag(_ index: Int) -> Bool {
        text(index) == "t"
    }

    private func byte(_ index: Int) -> UInt8? {
        text(index)?.utf8.first
    }

    private func integer<Integer: FixedWidthInteger>(_ index: Int) -> Integer? {
        text(index).flatMap { Integer($0) }
    }

    func relation(_ index: Int) -> RelationID? {
        integer(index).map { RelationID($0) }
    }

    private func type(_ index: Int) -> TypeID? {
        integer(index).map { TypeID($0) }
    }
}

// MARK: - Entries

extension CatalogRow {
    var namespace: NamespaceEntry? {
        text(0).map { NamespaceEntry(name: $0, isUsableByPublic: flag(1), usableByOwner: text(2)) }
    }

    var column: ColumnEntry? {
        guard let name = text(1), let number: Int16 = integer(2), let type = type(3), let modifier: Int32 = integer(4)
        else { return nil }
        return ColumnEntry(
            name: name, number: number, type: type, typeModifier: modifier, hasDeterministicCollation: flag(5),
            isGenerated: flag(6), isKey: flag(7))
    }

    func relationEntry(columns: [ColumnEntry], parents: [RelationID], children: [RelationID]) -> RelationEntry? {
        guard let id = relation(0), let schema = text(1), let name = text(2),
            let kind = byte(3).flatMap(RelationEntry.Kind.init),
            let persistence = byte(4).flatMap(RelationEntry.Persistence.init),
            let identity = byte(5).flatMap(ReplicaIdentity.init)
        else { return nil }
        var publication: RelationEntry.Publication = []
        if flag(6) { publication.insert(.published) }
        if flag(7) { publication.insert(.hasRowFilter) }
        if flag(8) { publication.insert(.hasColumnList) }
        return RelationEntry(
            id: id, schema: schema, name: name, kind: kind, persistence: persistence, replicaIdentity: identity,
            publication: publication, hasRowSecurity: flag(9), hasTriggersOrRules: flag(10), columns: columns,
            parents: parents, children: children)
    }

    var type: TypeEntry? {
        guard let id = type(0), let schema = text(1), let name = text(2),
            let kind = byte(3).flatMap(TypeEntry.Kind.init),
            let category = byte(4), let base = type(5), let element = type(6), let input: UInt32 = integer(7),
            let output: UInt32 = integer(8)
        else { return nil }
        return TypeEntry(
            id: id, schema: schema, name: name, kind: kind, category: category, base: base, element: element,
            input: input, output: output)
    }

    var function: FunctionEntry? {
        guard let oid: UInt32 = integer(0), let schema = text(1), let name = text(2), let arguments = types(3),
            let defaults: Int16 = integer(4), let result = type(6),
            let volatility = byte(7).flatMap(FunctionEntry.Volatility.init),
            let kind = byte(8).flatMap(FunctionEntry.Kind.init)
        else { return nil }
        return FunctionEntry(
            oid: oid, schema: schema, name: name, arguments: arguments, defaultCount: defaults, isVariadic: flag(5),
            result: result, volatility: volatility, kind: kind, mayChangeSettings: flag(9), tellsOfServer: flag(10))
    }

    /// An `oidvector`: identifiers separated by spaces.
    private func types(_ index: Int) -> [TypeID]? {
        guard let list = text(index) else { return nil }
        var types: [TypeID] = []
        for part in list.split(separator: " ") {
            guard let oid = UInt32(part) else { return nil }
            types.append(TypeID(oid))
        }
        return types
    }

    var operatorEntry: OperatorEntry? {
        guard let schema = text(0), let name = text(1), let left = type(2), let right = type(3),
            let function: UInt32 = integer(4)
        else { return nil }
        return OperatorEntry(schema: schema, name: name, left: left, right: right, function: function)
    }

    var cast: CastEntry? {
        guard let source = type(0), let target = type(1), let function: UInt32 = integer(2) else { return nil }
        return CastEntry(source: source, target: target, function: function, isImplicit: flag(3))
    }

    var searchPath: SearchPathDefaults.Setting? {
        text(2).map { SearchPathDefaults.Setting(role: text(0), isForThisDatabase: flag(1), value: $0) }
    }

    var view: ViewEntry? {
        guard let relation = relation(0), let definition = text(1), let owner: UInt32 = integer(2) else { return nil }
        return ViewEntry(relation: relation, definition: definition, owner: owner, isInvoker: flag(3))
    }

    var rowSecurity: RowSecurityEntry? {
        guard let relation = relation(0), let owner: UInt32 = integer(1) else { return nil }
        return RowSecurityEntry(relation: relation, owner: owner, isForced: flag(2))
    }

    var policy: PolicyEntry? {
        guard let relation = relation(0) else { return nil }
        return PolicyEntry(
            relation: relation, isPermissive: flag(1), roles: text(2) == nil ? nil : identifiers(2), condition: text(3))
    }

    var role: RoleEntry? {
        guard let oid: UInt32 = integer(0), let name = text(1) else { return nil }
        return RoleEntry(
            oid: oid, name: name, bypassesRowSecurity: flag(2), privileges: identifiers(3).union([oid]))
    }

    private func identifiers(_ index: Int) -> Set<UInt32> {
        Set((text(index) ?? "").split(separator: " ").compactMap { UInt32($0) })
    }
}
