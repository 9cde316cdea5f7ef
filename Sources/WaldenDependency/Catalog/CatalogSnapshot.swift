public import WaldenCore

/// What the system catalogs of one database say, as far as statement analysis needs it.
///
/// Immutable: a change of the schema is a new snapshot with a higher generation, and whatever was concluded from the
/// old one is forgotten. Objects are given as flat arrays; names are looked up through dictionaries built here.
public final class CatalogSnapshot: Sendable {
    public let generation: UInt64
    /// Where unqualified names are sought when a session did not say.
    public let searchPaths: SearchPathDefaults

    let security: SecurityEntries
    /// Whether the log tells when a materialized view is refreshed.
    let tellsRefresh: Bool
    let namespaces: [String: NamespaceEntry]
    let relations: [RelationEntry]
    let types: [TypeID: TypeEntry]
    let casts: [CastEntry]
    /// Whether some function outside `pg_catalog` may change settings: then it may run wherever code runs unseen,
    /// in a trigger, a rule, a view or a default.
    let settingsMayChangeUnseen: Bool
    /// Whether there are tables that a replica does not have, or not by the log: then a function may read one.
    let holdsUnreplicatedTables: Bool

    private let relationsByID: [RelationID: RelationEntry]
    private let relationsByName: [String: [RelationEntry]]
    private let typesByName: [String: [TypeEntry]]
    private let functionsByName: [String: [FunctionEntry]]
    private let functionsByOID: [UInt32: FunctionEntry]
    private let operatorsByName: [String: [OperatorEntry]]
    private let userOperatorsByName: [String: [OperatorEntry]]
    /// Whether a user's cast is applied to a built-in type without being asked for.
    let castsBuiltInTypesImplicitly: Bool

    /// - Parameters:
    ///   - generation: Rises with every snapshot that a process takes.
    ///   - relations: `pg_class` of kinds r, p, v, m, f, S, t, c; also those of the system schemas.
    ///   - functions: All of `pg_proc`.
    ///   - operators: All of `pg_operator`.
    ///   - security: Definitions of views, policies and roles.
    ///   - tellsRefresh: Whether event triggers tell when a materialized view is refreshed.
    ///   - casts: Those of `pg_cast` that users made (OID 16384 and above).
    public init(
        generation: UInt64, searchPaths: SearchPathDefaults, namespaces: [NamespaceEntry],
        relations: [RelationEntry], types: [TypeEntry], functions: [FunctionEntry], operators: [OperatorEntry],
        casts: [CastEntry], security: SecurityEntries = SecurityEntries(), tellsRefresh: Bool = true
    ) {
        self.tellsRefresh = tellsRefresh
        self.security = security
        self.generation = generation
        self.searchPaths = searchPaths
        self.namespaces = Dictionary(namespaces.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let types = Dictionary(types.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.types = types
        self.casts = casts
        self.relations = relations
        settingsMayChangeUnseen = functions.contains { $0.mayChangeSettings && !$0.isBuiltIn }
        holdsUnreplicatedTables = relations.contains {
            !$0.isSystem && ($0.persistence == .unlogged || $0.kind == .foreign)
        }
        castsBuiltInTypesImplicitly = casts.contains { $0.isImplicit && types[$0.source]?.isBuiltIn ?? true }
        relationsByID = Dictionary(relations.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        relationsByName = Dictionary(grouping: relations) { $0.name }
        typesByName = Dictionary(grouping: types.values) { $0.name }
        functionsByName = Dictionary(grouping: functions) { $0.name }
        functionsByOID = Dictionary(functions.map { ($0.oid, $0) }, uniquingKeysWith: { first, _ in first })
        operatorsByName = Dictionary(grouping: operators) { $0.name }
        userOperatorsByName = Dictionary(grouping: operators.filter { !$0.isBuiltIn }) { $0.name }
    }

    public func relation(_ id: RelationID) -> RelationEntry? {
        relationsByID[id]
    }

    /// - Parameter schema: Nil: whatever schema they are in.
    public func relations(named name: String, in schema: String?) -> [RelationEntry] {
        relations(named: name).filter { schema == nil || $0.schema == schema }
    }

    func relations(named name: String) -> [RelationEntry] {
        relationsByName[name] ?? []
    }

    func type(_ id: TypeID) -> TypeEntry? {
        types[id]
    }

    func types(named name: String) -> [TypeEntry] {
        typesByName[name] ?? []
    }

    func functions(named name: String) -> [FunctionEntry] {
        functionsByName[name] ?? []
    }

    func function(_ oid: UInt32) -> FunctionEntry? {
        functionsByOID[oid]
    }

    func operators(named name: String) -> [OperatorEntry] {
        operatorsByName[name] ?? []
    }

    /// Those outside `pg_catalog`.
    func userOperators(named name: String) -> [OperatorEntry] {
        userOperatorsByName[name] ?? []
    }

    func ancestors(of relation: RelationEntry) -> [RelationEntry] {
        closure(of: relation, \.parents)
    }

    func descendants(of relation: RelationEntry) -> [RelationEntry] {
        closure(of: relation, \.children)
    }

    /// The relation with all its ancestors and descendants in inheritance or partitioning, itself first.
    func family(of relation: RelationEntry) -> [RelationEntry] {
        let ancestors = ancestors(of: relation)
        let known = Set(ancestors.map(\.id))
        return [relation] + ancestors + descendants(of: relation).filter { !known.contains($0.id) }
    }

    private func closure(of relation: RelationEntry, _ step: (RelationEntry) -> [RelationID]) -> [RelationEntry] {
        var found: [RelationEntry] = []
        var seen: Set<RelationID> = [relation.id]
        var pending = step(relation)
        while let id = pending.popLast() {
            guard seen.insert(id).inserted, let member = self.relation(id) else { continue }
            found.append(member)
            pending += step(member)
        }
        return found
    }
}
