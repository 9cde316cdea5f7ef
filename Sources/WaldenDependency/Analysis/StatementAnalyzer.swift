/// Concludes from a parsed text whether its result may be kept and what the text does to its session.
public struct StatementAnalyzer: Sendable {
    let catalog: CatalogSnapshot

    public init(catalog: CatalogSnapshot) {
        self.catalog = catalog
    }

    public var generation: UInt64 { catalog.generation }

    public func analyze(_ text: ParsedText, context: SessionContext) -> StatementAnalysis {
        StatementAnalysis(
            effects: text.statements.map(\.effect),
            verdict: .uncacheable(Refusal(.unsupportedSyntax, "not understood")))
    }
}
