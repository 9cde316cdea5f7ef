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

    /// A policy's condition as a statement.
    static func query(of condition: String) -> String { "SELECT WHERE \(condition)" }

    /// The one statement of a definition; nil when it is not understood.
    func statement(_ text: String) -> ParsedStatement? {
        guard let statements = parse(text)?.statements, statements.count == 1 else { return nil }
        return statements[0]
    }

    /// The query that is a view's definition.
    func query(_ text: String, of name: String) throws(Refusal) -> Query {
        guard let statement = statement(text) else { throw Refusal(.view, "\(name) is not understood") }
        switch statement.form {
        case .query(let query): return query
        case .refused(let refusal): throw Refusal(.view, "\(name): \(refusal.explanation)")
        }
    }

    /// The condition of a policy.
    func condition(_ text: String, of name: String) throws(Refusal) -> Expression {
        guard let statement = statement(Self.query(of: text)) else {
            throw Refusal(.rowSecurity, "\(name) is not understood")
        }
        switch statement.form {
        case .query(let query):
            if case .select(let core) = query.body, let filter = core.filter { return filter }
            throw Refusal(.rowSecurity, "\(name) is not understood")
        case .refused(let refusal): throw Refusal(.rowSecurity, "\(name): \(refusal.explanation)")
        }
    }
}
