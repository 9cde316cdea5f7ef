import WaldenDependency
import WaldenPostgres
import WaldenSQLParser

/// `walden explain`: whether a statement's result may be kept, by which rule not, and which changes drop it. The
/// statement is not run.
public enum ExplainCommand {
    /// Whose session sends the statement, as far as that decides what its names mean.
    public struct Session: Hashable, Sendable {
        /// Nil: the connection's.
        public var role: String?
        /// Nil: the role's default.
        public var searchPath: String?
        public var publication = "walden"

        public init() {}
    }

    public static func run(dsn text: String, statement: String, session: Session) -> CommandOutcome {
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
                return CommandOutcome(Explanation(of: analysis, in: catalog).text)
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
}
