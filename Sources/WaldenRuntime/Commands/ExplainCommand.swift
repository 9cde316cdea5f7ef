import WaldenCore
import WaldenDependency
import WaldenPostgres
import WaldenSQLParser

/// `walden explain`: whether a statement's result may be kept, by which rule not, and which changes drop it. The
/// statement is not run.
public enum ExplainCommand {
    /// Whose session sends the statement, as far as that decides what its names mean.
    public struct Session: Hashable, Sendable {
        /// Nil: the connection string's.
        public var role: String?
        /// Nil: the role's default.
        public var searchPath: String?
        public var publication = "walden"

        public init() {}
    }

    /// - Parameter parameters: values of `$1`, `$2` … in text form; without them conditions on parameters are not told.
    public static func run(
        dsn text: String, statement: String, parameters: [String], session: Session
    ) -> CommandOutcome {
        CommandOutcome.attempt { () throws(CommandFailure) in
            let dsn = try ServerAccess.dsn(text)
            let connection = try ServerAccess.open(dsn)
            defer { connection.close() }
            do throws(PostgresError) {
                let catalog = try CatalogReader.read(connection, publication: session.publication, generation: 1)
                let context = try context(session, connection)
                let statements = StatementCatalog()
                statements.replaceCatalog(catalog)
                let bytes = Array(statement.utf8)
                let analysis = statements.analysis(of: bytes.span.bytes, context: context)
                return CommandOutcome(explanation(analysis, parameters, catalog))
            } catch {
                throw CommandFailure(error, at: dsn)
            }
        }
    }

    private static func context(
        _ session: Session, _ connection: Connection
    ) throws(PostgresError) -> SessionContext {
        let sql = "SELECT session_user, pg_catalog.current_setting('standard_conforming_strings')"
        let row = try connection.execute(sql).rows.first ?? []
        guard row.count == 2, let user = row[0] else {
            throw PostgresError(.unexpectedReply, "the server did not tell the session's user")
        }
        return SessionContext(
            searchPath: session.searchPath, loginUser: session.role ?? user, user: session.role ?? user,
            standardConformingStrings: row[1] != "off")
    }

    static func explanation(
        _ analysis: StatementAnalysis, _ parameters: [String], _ catalog: CatalogSnapshot
    ) -> String {
        switch analysis.verdict {
        case .uncacheable(let refusal): return told(refusal)
        case .cacheable(let plan):
            do throws(Refusal) {
                return "cacheable\n" + (try told(plan, parameters, catalog))
            } catch {
                return told(error)
            }
        }
    }

    private static func told(_ refusal: Refusal) -> String {
        "not cacheable: \(refusal.explanation)\nrule: \(refusal.rule.rawValue)\n"
    }

    private static func told(
        _ plan: CachePlan, _ parameters: [String], _ catalog: CatalogSnapshot
    ) throws(Refusal) -> String {
        let isBound = parameters.count >= plan.parameterCount
        // Nulls in place of values tell the relations all the same.
        let values: [[UInt8]?] =
            isBound ? parameters.map { Array($0.utf8) } : .init(repeating: nil, count: plan.parameterCount)
        let dependencies = try plan.bind(
            values.map { BoundParameter(type: .unspecified, isBinary: false, bytes: $0) })
        var text = ""
        for table in dependencies.tables {
            text += "\n" + DependencyText.paragraph(table, showsPredicate: isBound, in: catalog)
        }
        if !isBound {
            text += "\nGive values for $1 … $\(plan.parameterCount) as further arguments to see the conditions.\n"
        }
        return text
    }
}
