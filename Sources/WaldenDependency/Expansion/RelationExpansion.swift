import WaldenCore

/// Replaces views by their definitions and finds the conditions of row security, before a query is checked.
///
/// Works on syntax alone. A view becomes a subquery in FROM under the view's name, with the view's column names. Its
/// definition was printed under an empty search path: what has no schema in it is a CTE of its own, or belongs to
/// `pg_catalog`, which is then written out, so that no session's path decides what it means. Row security filters what
/// a table gives; each filtered table leaves a query of its own in `conditions`, `SELECT 1 FROM table WHERE policies`.
/// What that reads is what the policies depend on: a change that moves a row in or out of sight changes one of its
/// columns, in a row that may satisfy it before or after; so does every row of the tables that a policy looks into.
///
/// The views are in `objects`: a result depends on their definitions as well.
struct RelationExpansion {
    /// Views within views, and policies that look into tables with policies.
    private static let maxDepth = 16
    /// Views and conditions of one statement.
    private static let maxExpansions = 200
    private static let system = "pg_catalog"

    let resolver: NameResolver
    let context: SessionContext
    let parser: DefinitionParser
    private(set) var objects: Set<RelationID> = []
    private(set) var conditions: [Query] = []
    private var commonTables: [String] = []
    /// The definition that is being read; nil: the statement itself.
    private var definition: Definition?
    private var depth = 0
    private var expansions = 0

    /// A text from the catalog, with what decides on its meaning.
    private struct Definition {
        /// For explanations.
        let name: String
        /// Whose rights its relations are read with; nil: not certain.
        let role: RoleEntry?
        let isPolicy: Bool
    }

    init(resolver: NameResolver, context: SessionContext, parser: DefinitionParser) {
        self.resolver = resolver
        self.context = context
        self.parser = parser
    }

    private var catalog: CatalogSnapshot { resolver.catalog }

    /// Whose rights relations are read with at this place.
    private var role: RoleEntry? {
        guard let definition else { return sessionRole }
        return definition.role
    }

    /// Nil when it is not certain.
    private var sessionRole: RoleEntry? {
        catalog.security.rolesAreAssigned ? nil : catalog.security.role(named: context.user)
    }

    /// Expands `query` as a part of `definition`, which sees nothing of what surrounds it.
    private mutating func expand(_ query: Query, of definition: Definition) throws(Refusal) -> Query {
        guard depth < Self.maxDepth, expansions < Self.maxExpansions else {
            throw Refusal(.unsupportedSyntax, "\(definition.name) goes too deep")
        }
        let outer = (self.definition, commonTables)
        defer { (self.definition, commonTables) = outer }
        self.definition = definition
        commonTables = []
        depth += 1
        expansions += 1
        defer { depth -= 1 }
        return try map(query)
    }

    private func lookUp(_ name: QualifiedName) throws(Refusal) -> RelationEntry {
        guard let definition else { return try resolver.relation(name) }
        guard let schema = name.schema,
            let found = catalog.relations(named: name.name).first(where: { $0.schema == schema })
        else { throw Refusal(.unknownRelation, "\(definition.name) reads \(name), which is not in the snapshot") }
        return found
    }
}

// MARK: Views

extension RelationExpansion {
    private mutating func expand(view entry: RelationEntry, _ alias: Alias?) throws(Refusal) -> FromItem {
        let name = "\(entry.schema).\(entry.name)"
        guard let view = catalog.security.views[entry.id] else {
            throw Refusal(.view, "the definition of view \(name) is not in the catalog snapshot")
        }
        guard hasPlainEquality else {
            throw Refusal(.view, "view \(name) may compare by a user-defined =, which its text does not show")
        }
        objects.insert(entry.id)
        let reader = view.isInvoker ? sessionRole : catalog.security.role(view.owner)
        let query = try expand(
            try parser.query(view.definition, of: "view \(name)"),
            of: Definition(name: "view \(name)", role: reader, isPolicy: false))
        let names = (alias?.columnNames ?? []) + entry.columns.map(\.name).dropFirst(alias?.columnNames.count ?? 0)
        return .subquery(
            query, alias: Alias(name: alias?.name ?? entry.name, columnNames: names), isLateral: false)
    }

    /// IN, CASE, USING and the like are printed without the `=` that they use. No user's `=` can be meant beside values
    /// of built-in types, and whichever is meant beside others is deterministic.
    private var hasPlainEquality: Bool {
        let others = catalog.userOperators(named: "=")
        if others.isEmpty { return true }
        return !catalog.castsBuiltInTypesImplicitly
            && others.allSatisfy { entry in
                guard let function = catalog.function(entry.function) else { return false }
                return function.volatility == .immutable && !function.mayChangeSettings
                    && ![entry.left, entry.right].contains { catalog.type($0)?.isBuiltIn ?? true }
            }
    }
}

// MARK: Row security

extension RelationExpansion {
    /// Notes what the policies on `entry` depend on, if they bind the role that reads it.
    private mutating func noteRowSecurity(of entry: RelationEntry) throws(Refusal) {
        let name = "\(entry.schema).\(entry.name)"
        guard let security = catalog.security.rowSecurity[entry.id] else {
            throw Refusal(.rowSecurity, "the row security of \(name) is not in the catalog snapshot")
        }
        guard let reader = role else {
            throw Refusal(.rowSecurity, "\(name) has row security, and the role that reads it is not certain")
        }
        if reader.bypassesRowSecurity || !security.isForced && reader.privileges.contains(security.owner) { return }
        let applying = (catalog.security.policies[entry.id] ?? []).filter { policy in
            policy.condition != nil && policy.roles?.isDisjoint(with: reader.privileges) != true
        }
        let what = "a policy of \(name)"
        guard hasPlainEquality else {
            throw Refusal(.rowSecurity, "\(what) may compare by a user-defined =, which its text does not show")
        }
        var permissive: [Expression] = []
        var restrictive: [Expression] = []
        for policy in applying {
            let condition = try parser.condition(policy.condition ?? "", of: what)
            if policy.isPermissive { permissive.append(condition) } else { restrictive.append(condition) }
        }
        // Without a permissive policy no row is seen.
        guard !permissive.isEmpty else { return }
        let first = permissive.count == 1 ? permissive[0] : .or(permissive)
        let filter: Expression = restrictive.isEmpty ? first : .and([first] + restrictive)
        let definition = Definition(name: what, role: reader, isPolicy: true)
        // The table itself is put into FROM afterwards, for its own policies do not bind it there.
        let condition = try expand(Self.scan(of: nil, filter), of: definition)
        guard case .select(let core) = condition.body, let expanded = core.filter else { return }
        conditions.append(Self.scan(of: entry, expanded))
    }

    /// `SELECT 1 FROM table WHERE filter`.
    private static func scan(of entry: RelationEntry?, _ filter: Expression) -> Query {
        let table = entry.map { FromItem.relation(QualifiedName(schema: $0.schema, name: $0.name), alias: nil) }
        let core = SelectCore(
            distinctOn: [], isDistinct: false, targets: [Target(name: nil, expression: .literal(.integer(1)))],
            from: table.map { [$0] } ?? [], filter: filter, groupBy: [], having: nil, windows: [])
        return Query(
            commonTables: [], isRecursive: false, body: .select(core), orderBy: [], limit: nil, offset: nil)
    }

    /// What a policy may ask of the session: the key of every result holds it.
    private func sessionValue(_ expression: Expression) throws(Refusal) -> Expression? {
        switch expression {
        case .currentValue("CURRENT_USER"), .currentValue("CURRENT_ROLE"), .currentValue("USER"),
            .currentValue("SESSION_USER"):
            return Self.unknown(of: "name")
        case .call(let call)
        where call.name.name == "current_setting" && [nil, Self.system].contains(call.name.schema):
            guard case .literal(.string(let setting))? = call.arguments.first.map(Self.withoutCast),
                context.assignedSettings.contains(setting.lowercased())
            else {
                throw Refusal(.rowSecurity, "a policy reads a setting that the session has not assigned by SET")
            }
            return Self.unknown(of: "text")
        default: return nil
        }
    }

    private static func withoutCast(_ expression: Expression) -> Expression {
        if case .cast(let inner, _) = expression { inner } else { expression }
    }

    /// A value of which nothing but the type is said, so that no condition is concluded from it.
    private static func unknown(of type: String) -> Expression {
        let call = FunctionCall(
            name: QualifiedName(schema: Self.system, name: "lower"),
            arguments: [
                .cast(
                    .literal(.string("")),
                    TypeName(
                        name: QualifiedName(schema: Self.system, name: "text"), hasModifiers: false, isArray: false,
                        isSetOf: false))
            ], hasNamedArguments: false, isVariadic: false, isStar: false, orderBy: [], isWithinGroup: false,
            filter: nil, window: nil)
        return .cast(
            .call(call),
            TypeName(
                name: QualifiedName(schema: Self.system, name: type), hasModifiers: false, isArray: false,
                isSetOf: false))
    }
}

// MARK: The walk

extension RelationExpansion: SyntaxMapping {
    mutating func map(relation name: QualifiedName, _ alias: Alias?) throws(Refusal) -> FromItem {
        if name.schema == nil, commonTables.contains(name.name) { return .relation(name, alias: alias) }
        // What the statement itself names wrongly the check refuses, in its order.
        guard let entry = definition == nil ? try? lookUp(name) : try lookUp(name) else {
            return .relation(name, alias: alias)
        }
        let isSystem = entry.schema == Self.system || entry.schema == "information_schema"
        if entry.kind == .view, !isSystem { return try expand(view: entry, alias) }
        if entry.hasRowSecurity { try noteRowSecurity(of: entry) }
        return .relation(name, alias: alias)
    }

    func map(name: QualifiedName) -> QualifiedName {
        definition == nil || name.schema != nil ? name : QualifiedName(schema: Self.system, name: name.name)
    }

    func replacement(of expression: Expression) throws(Refusal) -> Expression? {
        definition?.isPolicy == true ? try sessionValue(expression) : nil
    }

    mutating func enter(commonTable name: String) { commonTables.append(name) }
    var commonTableCount: Int { commonTables.count }
    mutating func leave(to count: Int) { commonTables.removeLast(commonTables.count - count) }
}
