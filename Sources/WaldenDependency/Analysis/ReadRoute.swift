internal import WaldenCore

/// Where a statement may run, by its text and the catalog.
public enum ReadRoute: Sendable {
    /// It only reads, and every node that has applied the same log answers it alike.
    case anyNode
    /// What is not proven. The rule is the label in metrics.
    case primary(Refusal)

    /// Nil: any node.
    public var refusal: Refusal? {
        if case .primary(let refusal) = self { refusal } else { nil }
    }
}

/// Proves that a statement may run on a replica: it is one SELECT, VALUES or TABLE, or EXPLAIN of one; it neither
/// writes nor locks; every function it may call, at any depth of views, policies and casts, is known not to be volatile
/// nor to tell of the server it runs on; and every relation it reads is in the log.
///
/// It need not be cacheable: `now()` is as good on a replica. It goes by the names that stand in the statement, which are
/// known for all syntax that the parser reads, and takes each name for everything that it may mean. System catalogs are
/// read on the primary: drivers and tools look there for what they have just made, and many of them show the server.
///
/// What it cannot see (the check of a domain, the parts of an input function, what a user's STABLE function runs by
/// dynamic SQL) would have to write to do harm, and a standby refuses that (SQLSTATE 25006).
struct ReadProver {
    /// Views within views, and policies that look into tables with policies.
    private static let maxDepth = 16

    private let resolver: NameResolver
    private let parser: DefinitionParser
    private var seen: Set<RelationID> = []
    private var depth = 0

    init(resolver: NameResolver, parser: DefinitionParser) {
        self.resolver = resolver
        self.parser = parser
    }

    private var catalog: CatalogSnapshot { resolver.catalog }

    /// - Parameter effect: What the statement does to its session, functions and views included.
    mutating func prove(_ statement: ParsedStatement, effect: SessionEffect) throws(Refusal) {
        guard statement.isRead else {
            if case .refused(let refusal) = statement.form { throw refusal }
            throw Refusal(.function, "a function assigns a setting")
        }
        try checkUnseenCasts()
        try check(statement, in: nil)
        guard effect == .readOnly else { throw Refusal(.function, "it may change the session's settings") }
    }

    /// - Parameter definition: Of which view or policy it is the definition, for explanations; nil: the client's own.
    ///   Definitions were printed under an empty search path: a name without a schema belongs to `pg_catalog`.
    private mutating func check(_ statement: ParsedStatement, in definition: String?) throws(Refusal) {
        if statement.readsServerSettings {
            throw Refusal(.function, "current_setting() may tell of the server")
        }
        for name in statement.functions { try check(function: qualified(name, definition)) }
        for name in statement.operators {
            for candidate in resolver.userOperators(qualified(name, definition)) { try check(candidate) }
        }
        for name in statement.types { try check(type: name) }
        for name in statement.relations {
            let isCommonTable = name.schema == nil && statement.commonTables.contains(name.name)
            if isCommonTable, definition != nil || (try? resolver.relation(name)) == nil { continue }
            try check(relation: qualified(name, definition))
        }
    }

    private func qualified(_ name: QualifiedName, _ definition: String?) -> QualifiedName {
        definition == nil || name.schema != nil ? name : QualifiedName(schema: "pg_catalog", name: name.name)
    }

    // MARK: Relations

    private mutating func check(relation name: QualifiedName) throws(Refusal) {
        let entry = try resolver.relation(name)
        guard seen.insert(entry.id).inserted else { return }
        let label = "\(entry.schema).\(entry.name)"
        if entry.isSystem { throw Refusal(.systemRelation, "\(label) belongs to the system") }
        for member in [entry] + catalog.descendants(of: entry) { try check(storage: member) }
        for column in entry.columns { try check(casts: column.type) }
        if entry.kind == .view {
            guard let view = catalog.security.views[entry.id] else {
                throw Refusal(.view, "the definition of view \(label) is not in the catalog snapshot")
            }
            try check(text: view.definition, of: "view \(label)", .view)
        }
        guard entry.hasRowSecurity else { return }
        guard catalog.security.rowSecurity[entry.id] != nil else {
            throw Refusal(.rowSecurity, "the row security of \(label) is not in the catalog snapshot")
        }
        for policy in catalog.security.policies[entry.id] ?? [] {
            guard let condition = policy.condition else { continue }
            try check(text: DefinitionParser.query(of: condition), of: "a policy of \(label)", .rowSecurity)
        }
    }

    private mutating func check(text: String, of name: String, _ rule: Refusal.Rule) throws(Refusal) {
        guard depth < Self.maxDepth else { throw Refusal(rule, "\(name) goes too deep") }
        guard let statement = parser.statement(text) else { throw Refusal(rule, "\(name) is not understood") }
        depth += 1
        defer { depth -= 1 }
        try check(statement, in: name)
    }

    /// Rows that are in the log are on every replica.
    private func check(storage entry: RelationEntry) throws(Refusal) {
        let label = "\(entry.schema).\(entry.name)"
        switch entry.persistence {
        case .permanent: break
        case .unlogged: throw Refusal(.unlogged, "\(label) is unlogged")
        case .temporary: throw Refusal(.temporary, "\(label) is temporary")
        }
        switch entry.kind {
        case .table, .partitioned, .materializedView, .view: break
        case .foreign: throw Refusal(.foreign, "\(label) is a foreign table")
        // The log runs ahead of it, by up to 32 values.
        case .sequence: throw Refusal(.sequence, "\(label) is a sequence")
        case .toast, .composite, .index, .partitionedIndex: throw Refusal(.unknownRelation, "\(label) is no table")
        }
    }

    // MARK: Functions

    private func check(function name: QualifiedName) throws(Refusal) {
        let candidates = resolver.functions(name, argumentCount: nil)
        // A cast may be spelled as a call.
        guard !candidates.isEmpty || !catalog.types(named: name.name).isEmpty else {
            throw Refusal(.function, "function \(name) is not in the catalog snapshot")
        }
        for candidate in candidates { try check(candidate) }
    }

    private func check(_ function: FunctionEntry) throws(Refusal) {
        let name = function.isBuiltIn ? function.name : "\(function.schema).\(function.name)"
        if function.isBuiltIn {
            guard BuiltInFunctions.isAlikeOnReplicas(function) else {
                throw Refusal(.function, "function \(name) writes, or tells of the server or its session")
            }
            return
        }
        switch function.kind {
        case .function: break
        case .procedure: throw Refusal(.function, "\(name) is a procedure")
        // Declared IMMUTABLE by CREATE AGGREGATE, whatever its parts are.
        case .aggregate, .window:
            throw Refusal(.function, "function \(name) is a user-defined aggregate or window function")
        }
        guard function.volatility != .volatile else { throw Refusal(.function, "function \(name) is VOLATILE") }
        guard !function.mayChangeSettings else { throw Refusal(.function, "function \(name) may change settings") }
        guard !function.tellsOfServer else { throw Refusal(.function, "function \(name) may tell of the server") }
        guard function.volatility == .immutable || !catalog.holdsUnreplicatedTables else {
            throw Refusal(.function, "function \(name) may read an unlogged or foreign table")
        }
    }

    private func check(_ entry: OperatorEntry) throws(Refusal) {
        guard let function = catalog.function(entry.function) else {
            throw Refusal(.operatorUnknown, "operator \(entry.schema).\(entry.name) has no known function")
        }
        try check(function)
    }

    // MARK: Casts

    private func check(type name: QualifiedName) throws(Refusal) {
        for entry in catalog.types(named: name.name) { try check(casts: entry.id) }
    }

    /// A value of a user's type may be converted by any cast from or to it.
    private func check(casts type: TypeID) throws(Refusal) {
        guard let entry = catalog.type(type), !entry.isBuiltIn else { return }
        for cast in catalog.casts where cast.source == type || cast.target == type { try check(cast) }
    }

    /// Between built-in types a user's cast may stand anywhere.
    private func checkUnseenCasts() throws(Refusal) {
        for cast in catalog.casts where isBuiltIn(cast.source) && isBuiltIn(cast.target) { try check(cast) }
    }

    private func isBuiltIn(_ type: TypeID) -> Bool { catalog.type(type)?.isBuiltIn ?? false }

    private func check(_ cast: CastEntry) throws(Refusal) {
        if cast.function == 0 { return }
        guard let function = catalog.function(cast.function) else {
            throw Refusal(.cast, "a cast has no known function")
        }
        do throws(Refusal) {
            try check(function)
        } catch {
            throw Refusal(.cast, "a cast: \(error.explanation)")
        }
    }
}
