import WaldenCore

/// Concludes from a parsed text whether its result may be kept and what the text does to its session.
public struct StatementAnalyzer: Sendable {
    let catalog: CatalogSnapshot
    public let effects: EffectAnalyzer
    private let parser: DefinitionParser

    public init(catalog: CatalogSnapshot, parser: DefinitionParser = .none) {
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
        return StatementAnalysis(
            effects: text.statements.map { effects.effect(of: $0, context: context) }, verdict: verdict)
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
        guard let path = SearchPath(context: context, catalog: catalog) else {
            throw Refusal(.ambiguousName, "the search path cannot be read")
        }
        let resolver = NameResolver(catalog: catalog, path: path, user: context.user)
        var expansion = RelationExpansion(resolver: resolver, context: context, parser: parser)
        var (tables, parameters) = try check(try expansion.map(query), resolver)
        for condition in expansion.conditions { tables += try check(condition, resolver).tables }
        // Of views the definition matters, which no row change touches.
        tables += expansion.objects.sorted { $0.rawValue < $1.rawValue }.map {
            TableTemplate(relation: $0, columns: [], predicate: .everyRow)
        }
        return CachePlan(parameterCount: parameters.highest, tables: tables, plainParameters: parameters.plain)
    }

    /// What an expanded query reads, and its parameters.
    private func check(
        _ query: Query, _ resolver: NameResolver
    ) throws(Refusal) -> (tables: [TableTemplate], parameters: ParameterTable) {
        var checker = QueryChecker(resolver: resolver)
        _ = try checker.check(query)
        guard !checker.tables.isEmpty else { throw Refusal(.noTable, "no table is read") }
        let predicate = self.predicate(of: query, checker)
        let tables = checker.tables.flatMap { occurrence in
            occurrence.family.map { member in
                TableTemplate(
                    relation: member.id, columns: occurrence.isWhole ? nil : occurrence.columns,
                    predicate: predicate)
            }
        }
        return (tables, checker.parameters)
    }

    /// What the rows must satisfy, for a query over one table; `everyRow` for all others.
    private func predicate(of query: Query, _ checker: QueryChecker) -> PredicateTemplate {
        guard checker.tables.count == 1, query.commonTables.isEmpty, case .select(let core) = query.body,
            core.from.count == 1, case .relation(_, let alias) = core.from[0], let filter = core.filter
        else { return .everyRow }
        var columns: [String: ColumnEntry] = [:]
        for (index, column) in checker.tables[0].relation.columns.enumerated() {
            let renamed = alias?.columnNames ?? []
            columns[index < renamed.count ? renamed[index] : column.name] = column
        }
        let builder = PredicateBuilder(
            resolver: checker.resolver, parameters: checker.parameters, columns: columns)
        return PredicateTemplate(alternatives: builder.conditions(for: filter, toBe: true))
    }
}
