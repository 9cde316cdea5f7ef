import WaldenCore
import WaldenDependency

/// Reads a catalog snapshot from lines of fields separated by semicolons, each led by a letter: N namespace,
/// R relation, C column, T type, F function, O operator, K cast.
struct CatalogText {
    private var namespaces: [NamespaceEntry] = []
    private var relations: [[Substring]] = []
    private var columns: [UInt32: [ColumnEntry]] = [:]
    private var types: [TypeEntry] = []
    private var functions: [FunctionEntry] = []
    private var operators: [OperatorEntry] = []
    private var casts: [CastEntry] = []

    static func snapshot(
        _ text: some StringProtocol, generation: UInt64 = 1, searchPath: String,
        security: SecurityEntries = SecurityEntries()
    ) -> CatalogSnapshot {
        var reader = CatalogText()
        for line in text.split(separator: "\n") {
            reader.read(line.split(separator: ";", omittingEmptySubsequences: false).map { Substring($0) })
        }
        let relations = reader.relations.map { reader.relation($0) }
        return CatalogSnapshot(
            generation: generation, searchPaths: SearchPathDefaults(server: searchPath, settings: []),
            namespaces: reader.namespaces, relations: relations, types: reader.types, functions: reader.functions,
            operators: reader.operators, casts: reader.casts, security: security)
    }

    private mutating func read(_ fields: [Substring]) {
        func number(_ index: Int) -> UInt32 { UInt32(fields[index]) ?? 0 }
        func letter(_ index: Int) -> UInt8 { fields[index].utf8.first ?? 0 }
        func flag(_ index: Int) -> Bool { fields[index] == "1" }
        func text(_ index: Int) -> String { String(fields[index]) }
        func type(_ index: Int) -> TypeID { TypeID(number(index)) }
        switch fields[0] {
        case "N":
            namespaces.append(NamespaceEntry(name: text(1), isUsableByPublic: flag(2), usableByOwner: nil))
        case "R": relations.append(fields)
        case "C":
            columns[number(1), default: []].append(
                ColumnEntry(
                    name: text(2), number: Int16(number(3)), type: type(4), typeModifier: Int32(fields[5]) ?? -1,
                    hasDeterministicCollation: flag(6), isGenerated: flag(7),
                    isKey: fields.count > 8 && flag(8)))
        case "T":
            types.append(
                TypeEntry(
                    id: type(1), schema: text(2), name: text(3), kind: TypeEntry.Kind(rawValue: letter(4)) ?? .pseudo,
                    category: letter(5), base: type(6), element: type(7), input: number(8), output: number(9)))
        case "F":
            functions.append(
                FunctionEntry(
                    oid: number(1), schema: text(2), name: text(3), arguments: Self.list(fields[4]).map { TypeID($0) },
                    defaultCount: Int16(number(5)), isVariadic: flag(6), result: type(7),
                    volatility: FunctionEntry.Volatility(rawValue: letter(8)) ?? .volatile,
                    kind: FunctionEntry.Kind(rawValue: letter(9)) ?? .procedure, mayChangeSettings: flag(10),
                    tellsOfServer: fields.count > 11 && flag(11)))
        case "O":
            operators.append(
                OperatorEntry(schema: text(1), name: text(2), left: type(3), right: type(4), function: number(5)))
        case "K":
            casts.append(CastEntry(source: type(1), target: type(2), function: number(3), isImplicit: flag(4)))
        default: break
        }
    }

    private static func list(_ field: Substring) -> [UInt32] {
        field.split(separator: ",").compactMap { UInt32($0) }
    }

    private func relation(_ fields: [Substring]) -> RelationEntry {
        let oid = UInt32(fields[1]) ?? 0
        return RelationEntry(
            id: RelationID(oid), schema: String(fields[2]), name: String(fields[3]),
            kind: RelationEntry.Kind(rawValue: fields[4].utf8.first ?? 0) ?? .index,
            persistence: RelationEntry.Persistence(rawValue: fields[5].utf8.first ?? 0) ?? .permanent,
            replicaIdentity: ReplicaIdentity(rawValue: fields[6].utf8.first ?? 0) ?? .default,
            publication: RelationEntry.Publication(rawValue: UInt8(fields[7]) ?? 0),
            hasRowSecurity: fields[8] == "1", hasTriggersOrRules: fields[9] == "1", columns: columns[oid] ?? [],
            parents: Self.list(fields[10]).map { RelationID($0) },
            children: Self.list(fields[11]).map { RelationID($0) })
    }
}
