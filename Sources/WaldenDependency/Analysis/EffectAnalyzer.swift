/// Adds to what a statement's syntax says of its effect what the functions, operators and views in it may do.
public struct EffectAnalyzer: Sendable {
    /// Nil when the catalog has not been read: then every function that is not known by heart may do anything.
    private let catalog: CatalogSnapshot?
    /// Some trigger or rule may run a function that changes settings.
    private let writesMayChangeSettings: Bool

    public init(catalog: CatalogSnapshot?) {
        self.catalog = catalog
        writesMayChangeSettings =
            catalog.map { catalog in
                catalog.settingsMayChangeUnseen
                    && catalog.relations.contains {
                        $0.hasTriggersOrRules && ($0.kind == .table || $0.kind == .partitioned)
                    }
            } ?? false
    }

    public func effect(of statement: ParsedStatement, context: SessionContext) -> SessionEffect {
        let listsStatements =
            statement.relations.contains { $0.name == "pg_prepared_statements" }
            || statement.functions.contains { $0.name == "pg_prepared_statement" }
        let syntax = listsStatements ? statement.effect.union(.preparedStatements) : statement.effect
        if syntax == .opaque { return syntax }
        if case .settings = syntax, !statement.functions.isEmpty { return assignment(statement, context: context) }
        guard let catalog else {
            return statement.functions.reduce(syntax) { $0.union(Self.effectWithoutCatalog(of: $1)) }
        }
        guard let path = SearchPath(context: context, catalog: catalog) else { return .opaque }
        let resolver = NameResolver(catalog: catalog, path: path, user: context.user)
        var effect = syntax
        for name in statement.functions { effect = effect.union(self.effect(ofFunction: name, resolver)) }
        for name in statement.operators { effect = effect.union(self.effect(ofOperator: name, resolver)) }
        if writesMayChangeSettings, syntax == .writes || syntax == .preparedStatements { return .opaque }
        for name in statement.relations { effect = effect.union(self.effect(ofRelation: name, catalog)) }
        // CREATE without a schema makes the object in the first schema of the path, which may be the temporary one.
        if syntax == .writes, namesTemporarySchema(context, catalog) { return effect.union(.temporaryObjects) }
        return effect
    }

    /// Whether a statement may leave something behind on its server.
    public func binding(of statement: ParsedStatement, context: SessionContext) -> SessionBinding {
        let binding = max(statement.binding, effect(of: statement, context: context).binding)
        if binding == .mayBind { return binding }
        guard let catalog, let path = SearchPath(context: context, catalog: catalog) else {
            return statement.functions.allSatisfy { BuiltInFunctions.bindsNothing($0.name) } ? binding : .mayBind
        }
        let resolver = NameResolver(catalog: catalog, path: path, user: context.user)
        for name in statement.functions where mayBind(name, resolver) { return .mayBind }
        for name in statement.operators
        where resolver.userOperators(name).contains(where: { catalog.function($0.function)?.volatility != .immutable })
        {
            return .mayBind
        }
        // What a view calls is not looked at one by one.
        let readsView = statement.relations.contains { name in
            catalog.relations(named: name.name).contains { $0.kind == .view && $0.hasTriggersOrRules }
        }
        return readsView ? .mayBind : binding
    }

    private func mayBind(_ name: QualifiedName, _ resolver: NameResolver) -> Bool {
        resolver.functions(name, argumentCount: nil).contains { function in
            guard function.volatility == .volatile else { return false }
            return !(function.isBuiltIn && BuiltInFunctions.bindsNothing(function.name))
        }
    }

    /// A query that assigns settings by function calls that were read to their last argument, if those are PostgreSQL's.
    private func assignment(_ statement: ParsedStatement, context: SessionContext) -> SessionEffect {
        guard let catalog, let path = SearchPath(context: context, catalog: catalog) else { return .opaque }
        let resolver = NameResolver(catalog: catalog, path: path, user: context.user)
        let areBuiltIn = statement.functions.allSatisfy { name in
            let candidates = resolver.functions(name, argumentCount: nil)
            return !candidates.isEmpty && candidates.allSatisfy(\.isBuiltIn)
        }
        return areBuiltIn ? statement.effect : .opaque
    }

    private static func effectWithoutCatalog(of function: QualifiedName) -> SessionEffect {
        BuiltInFunctions.harmlessWithoutCatalog.contains(function.name) ? .readOnly : .opaque
    }

    private func effect(ofFunction name: QualifiedName, _ resolver: NameResolver) -> SessionEffect {
        if BuiltInFunctions.settingsChanging.contains(name.name) { return .opaque }
        let candidates = resolver.functions(name, argumentCount: nil)
        if candidates.isEmpty {
            // A cast spelled as a call, or a function newer than the snapshot.
            return resolver.catalog.types(named: name.name).isEmpty ? .opaque : .readOnly
        }
        return candidates.reduce(.readOnly) { $0.union(effect(of: $1)) }
    }

    private func effect(of function: FunctionEntry) -> SessionEffect {
        if function.mayChangeSettings { return .opaque }
        if function.isBuiltIn {
            let isHarmless =
                function.volatility != .volatile || BuiltInFunctions.harmlessVolatile.contains(function.name)
            return isHarmless ? .readOnly : .writes
        }
        return function.volatility == .volatile ? .writes : .readOnly
    }

    private func effect(ofOperator name: QualifiedName, _ resolver: NameResolver) -> SessionEffect {
        resolver.userOperators(name).reduce(.readOnly) { effect, entry in
            effect.union(resolver.catalog.function(entry.function).map { self.effect(of: $0) } ?? .opaque)
        }
    }

    /// Reading a view runs what its definition calls.
    private func effect(ofRelation name: QualifiedName, _ catalog: CatalogSnapshot) -> SessionEffect {
        let views = catalog.relations(named: name.name).filter { entry in
            (name.schema == nil || name.schema == entry.schema) && entry.kind == .view
                && entry.schema != "pg_catalog" && entry.schema != "information_schema"
        }
        if views.isEmpty { return .readOnly }
        if catalog.settingsMayChangeUnseen { return .opaque }
        return views.contains(where: \.hasTriggersOrRules) ? .writes : .readOnly
    }

    private func namesTemporarySchema(_ context: SessionContext, _ catalog: CatalogSnapshot) -> Bool {
        let source = context.searchPath ?? catalog.searchPaths.value(for: context.loginUser)
        guard let names = SearchPath.identifiers(in: source) else { return true }
        return names.contains { $0.hasPrefix("pg_temp") }
    }
}
