/// Reads definitions that the catalog holds as text: those of views and policies. The SQL parser is handed in, for it is
/// a library in C.
public struct DefinitionParser: Sendable {
    private let parse: @Sendable (String) -> ParsedText?

    /// - Parameter parse: Nil for what is not understood.
    public init(_ parse: @escaping @Sendable (String) -> ParsedText?) {
        self.parse = parse
    }

    /// Understands nothing.
    public static let none = DefinitionParser { _ in nil }

    /// The query that is a view's definition.
    func query(_ text: String, of name: String) throws(Refusal) -> Query {
        guard let statements = parse(text)?.statements, statements.count == 1 else {
            throw Refusal(.view, "\(name) is not understood")
        }
        switch statements[0].form {
        case .query(let query): return query
        case .refused(let refusal): throw Refusal(.view, "\(name): \(refusal.explanation)")
        }
    }

    /// The condition of a policy.
    func condition(_ text: String, of name: String) throws(Refusal) -> Expression {
        let statements = parse("SELECT WHERE \(text)")?.statements ?? []
        guard statements.count == 1 else { throw Refusal(.rowSecurity, "\(name) is not understood") }
        switch statements[0].form {
        case .query(let query):
            if case .select(let core) = query.body, let filter = core.filter { return filter }
            throw Refusal(.rowSecurity, "\(name) is not understood")
        case .refused(let refusal): throw Refusal(.rowSecurity, "\(name): \(refusal.explanation)")
        }
    }
}
