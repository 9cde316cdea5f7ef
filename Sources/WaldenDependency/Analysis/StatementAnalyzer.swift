import WaldenCore

/// Concludes from a parsed text whether its result may be kept and what the text does to its session.
public struct StatementAnalyzer: Sendable {
    public let catalog: CatalogSnapshot
    public let effects: EffectAnalyzer
    private let parser: DefinitionParser
    public let declared: DeclaredFunctions

    public init(
        catalog: CatalogSnapshot, parser: DefinitionParser = .none, declared: DeclaredFunctions = DeclaredFunctions()
    ) {
        self.declared = declared
        self.catalog = catalog
        self.parser = parser
        effects = EffectAnalyzer(catalog: catalog)
    }

    public var generation: UInt64 { catalog.generation }

    public func analyze(_ text: ParsedText, context: SessionContext) -> StatementAnalysis {
        let verdict: Verdict
        do throws(Refusal) {
            verdict = .cacheable(try plan(text, context))
        } catch {
            verdict = .uncacheable(error)
        }
        let effects = text.statements.map { self.effects.effect(of: $0, context: context) }
        return StatementAnalysis(
            effects: effects, verdict: verdict, readRoute: route(text, effects, context),
            binding: text.statements.map { self.effects.binding(of: $0, context: context) }.max(),
            draws: SessionDraws(of: text.statements))
    }

    private func route(_ text: ParsedText, _ effects: [SessionEffect], _ context: SessionContext) -> ReadRoute {
        guard let statement = text.statements.first, let effect = effects.first else { return .anyNode }
        do throws(Refusal) {
            guard text.statements.count == 1 else {
                throw Refusal(.severalStatements, "the text holds \(text.statements.count) statements")
            }
            var prover = ReadProver(resolver: try resolver(context), parser: parser)
            try prover.prove(statement, effect: effect)
            return .anyNode
        } catch {
            return .primary(error)
        }
    }

    private func resolver(_ context: SessionContext) throws(Refusal) -> NameResolver {
        guard let path = SearchPath(context: context, catalog: catalog) else {
            throw Refusal(.ambiguousName, "the search path cannot be read")
        }
        return NameResolver(catalog: catalog, path: path, user: context.user, declared: declared)
    }

    private func plan(_ text: ParsedText, _ context: SessionContext) throws(Refusal) -> CachePlan {
        guard text.statements.count == 1 else {
            throw text.statements.isEmpty
                ? Refusal(.notASelect, "the text is empty")
                : Refusal(.severalStatements, "the text holds \(text.statements.count) statements")
        }
        switch text.statements[0].form {
        case .refused(let refusal): throw refusal
        case .query(let query): return try plan(query, context)
        }
    }

    private func plan(_ query: Query, _ context: SessionContext) throws(Refusal) -> CachePlan {
        let resolver = try resolver(context)
        var expansion = RelationExpansion(resolver: resolver, context: context, parser: parser)
        let expanded = try expansion.map(query)
        let (checker, predicates) = try check(expanded, resolver)
        guard !checker.tables.isEmpty else { throw Refusal(.noTable, "no table is read") }
        var finder = ResultKeyFinder(resolver: resolver, tables: checker.tables)
        let keys = finder.plan(for: expanded, predicates: predicates)
        var tables = Self.templates(checker, predicates, keyOfTable: keys?.keyOfTable)
        // Their rows are not in the output, so no keys tell of them.
        for condition in expansion.conditions {
            let (checker, predicates) = try check(condition, resolver)
            tables += Self.templates(checker, predicates, keyOfTable: nil)
        }
        // Of views the definition matters, which no row change touches.
        tables += expansion.objects.sorted { $0.rawValue < $1.rawValue }.map {
            TableTemplate(relation: $0, columns: [], predicate: .everyRow)
        }
        return CachePlan(
            parameterCount: checker.parameters.highest, tables: tables, plainParameters: checker.parameters.plain,
            resultKeys: keys?.plan)
    }

    /// What an expanded query reads, and what the rows of each of its tables must satisfy.
    private func check(
        _ query: Query, _ resolver: NameResolver
    ) throws(Refusal) -> (checker: QueryChecker, predicates: [PredicateTemplate]) {
        var checker = QueryChecker(resolver: resolver)
        let checked = try checker.checkAll(query)
        return (checker, DemandAnalysis.templates(of: checked.number, checker))
    }

    private static func templates(
        _ checker: QueryChecker, _ predicates: [PredicateTemplate], keyOfTable: [Int?]?
    ) -> [TableTemplate] {
        checker.tables.indices.flatMap { index in
            let occurrence = checker.tables[index]
            return occurrence.family.map { member in
                TableTemplate(
                    relation: member.id, columns: occurrence.isWhole ? nil : occurrence.columns,
                    predicate: predicates[index], resultKey: keyOfTable?[index])
            }
        }
    }
}
