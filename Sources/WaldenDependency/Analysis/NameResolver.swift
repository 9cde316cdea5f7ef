import WaldenCore

/// Finds what names stand for, by one catalog and one search path.
///
/// Where the server's choice depends on what this does not know (argument types, privileges on schemas), it answers
/// with all candidates, or refuses.
struct NameResolver: Sendable {
    let catalog: CatalogSnapshot
    let path: SearchPath
    let declared: DeclaredFunctions
    private let user: String

    init(catalog: CatalogSnapshot, path: SearchPath, user: String, declared: DeclaredFunctions = DeclaredFunctions()) {
        self.declared = declared
        self.catalog = catalog
        self.path = path
        self.user = user
    }

    /// Whether an object of this schema is visible to an unqualified name.
    func isVisible(_ schema: String) -> Bool {
        path.schemas.contains(schema)
    }

    private func matches(_ name: QualifiedName, schema: String) -> Bool {
        name.schema.map { $0 == schema } ?? isVisible(schema)
    }

    func relation(_ name: QualifiedName) throws(Refusal) -> RelationEntry {
        let candidates = catalog.relations(named: name.name).filter { matches(name, schema: $0.schema) }
        guard let found = try first(candidates, name, schema: \.schema) else {
            throw Refusal(.unknownRelation, "relation \(name) is not in the catalog snapshot")
        }
        return found
    }

    func type(_ name: QualifiedName) throws(Refusal) -> TypeEntry? {
        let candidates = catalog.types(named: name.name).filter { matches(name, schema: $0.schema) }
        return try first(candidates, name, schema: \.schema)
    }

    /// The candidate that the search path finds first, if it is certain that the session may use its schema.
    private func first<Entry>(
        _ candidates: [Entry], _ name: QualifiedName, schema: (Entry) -> String
    ) throws(Refusal) -> Entry? {
        if candidates.count <= 1 { return candidates.first }
        for place in path.schemas {
            guard let found = candidates.first(where: { schema($0) == place }) else { continue }
            guard isCertainlyUsable(place) else { break }
            return found
        }
        throw Refusal(.ambiguousName, "\(name) stands in several schemas of the search path")
    }

    private func isCertainlyUsable(_ schema: String) -> Bool {
        guard let entry = catalog.namespaces[schema] else { return false }
        return entry.isUsableByPublic || entry.usableByOwner == user
    }

    // MARK: Functions

    /// All functions that a call may mean, by name and number of arguments.
    func functions(_ name: QualifiedName, argumentCount: Int?) -> [FunctionEntry] {
        catalog.functions(named: name.name).filter { entry in
            guard matches(name, schema: entry.schema) else { return false }
            guard let argumentCount else { return true }
            let least = entry.arguments.count - Int(entry.defaultCount) - (entry.isVariadic ? 1 : 0)
            return argumentCount >= least && (entry.isVariadic || argumentCount <= entry.arguments.count)
        }
    }

    /// Those of `candidates` that the server takes because their argument types are exactly those given; all when a
    /// type is not known.
    func narrowed(_ candidates: [FunctionEntry], arguments: [TypeID?]) -> [FunctionEntry] {
        guard let known = Self.allKnown(arguments) else { return candidates }
        let exact = candidates.filter { $0.arguments == known }
        return exact.isEmpty ? candidates : exact
    }

    private static func allKnown(_ types: [TypeID?]) -> [TypeID]? {
        let known = types.compactMap { $0 }
        return known.count == types.count && !known.contains(.unknown) ? known : nil
    }

    // MARK: Operators

    func operators(_ name: QualifiedName) -> [OperatorEntry] {
        catalog.operators(named: name.name).filter { matches(name, schema: $0.schema) }
    }

    /// Those outside `pg_catalog`.
    func userOperators(_ name: QualifiedName) -> [OperatorEntry] {
        catalog.userOperators(named: name.name).filter { matches(name, schema: $0.schema) }
    }

    /// All operators that `left name right` may mean; `left` is `TypeID.unspecified` for a prefix operator.
    func operators(_ name: QualifiedName, left: TypeID?, right: TypeID?) -> [OperatorEntry] {
        let isPrefix = left == .unspecified
        let candidates = operators(name).filter { ($0.left == .unspecified) == isPrefix }
        guard let left, let right else { return candidates }
        // An untyped operand is first taken to have the other's type (`binary_oper_exact`).
        let exactLeft = left == .unknown ? right : left
        let exactRight = right == .unknown && !isPrefix ? left : right
        guard exactLeft != .unknown, exactRight != .unknown else { return candidates }
        let exact = candidates.filter { $0.left == exactLeft && $0.right == exactRight }
        return exact.isEmpty ? candidates : exact
    }

    /// Whether `name`, beside a column of type `type`, is certainly PostgreSQL's own operator, whatever built-in type
    /// the other side has: no visible user operator of that name can accept a built-in type.
    func isBuiltInOperator(_ name: QualifiedName, beside type: TypeID) -> Bool {
        if let schema = name.schema { return schema == "pg_catalog" }
        let others = userOperators(name)
        if others.isEmpty { return true }
        return !catalog.castsBuiltInTypesImplicitly
            && others.allSatisfy { entry in
                [entry.left, entry.right].allSatisfy { side in
                    side == .unspecified || side != type && !(catalog.type(side)?.isBuiltIn ?? true)
                }
            }
    }
}
