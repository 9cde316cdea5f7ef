import WaldenPostgres

/// `walden init`: installs what Walden needs in a database, shows it, or takes it away again.
public enum InitCommand {
    public enum Mode: Hashable, Sendable {
        case install
        case uninstall
        /// Prints the SQL of the action instead of running it.
        case preview(isUninstall: Bool)
    }

    /// - Parameter report: Called with one line before each step.
    public static func run(dsn text: String, mode: Mode, report: (String) -> Void) -> CommandOutcome {
        CommandOutcome.attempt { () throws(CommandFailure) in
            let dsn = try ServerAccess.dsn(text)
            switch mode {
            case .install: return try run(.install, dsn, report)
            case .uninstall: return try run(.uninstall, dsn, report)
            case .preview(let isUninstall): return preview(isUninstall ? .uninstall : .install, dsn)
            }
        }
    }

    private static func run(
        _ action: Installer.Action, _ dsn: DSN, _ report: (String) -> Void
    ) throws(CommandFailure) -> CommandOutcome {
        let connection = try ServerAccess.open(dsn)
        defer { connection.close() }
        do throws(InstallationFailure) {
            let warnings = try Installer.run(action, on: connection) { report($0.title) }
            let database = dsn.database ?? ""
            let result =
                action == .install
                ? "installed version \(Installer.schemaVersion) in database \(database); `walden doctor` tells what is left"
                : "removed from database \(database)"
            return CommandOutcome(result + "\n", problem: warnings.isEmpty ? nil : warnings.joined(separator: "\n"))
        } catch {
            throw CommandFailure("\(error)", error.error.exitStatus)
        }
    }

    /// Needs no server: an administrator may run the SQL elsewhere. One that answers names the tables that change.
    private static func preview(_ action: Installer.Action, _ dsn: DSN) -> CommandOutcome {
        guard action == .install else {
            return CommandOutcome(Installer.preview(action, tablesWithoutIdentity: []))
        }
        do throws(PostgresError) {
            let connection = try Connection.open(dsn)
            defer { connection.close() }
            let tables = try Installer.tablesWithoutIdentity(connection)
            return CommandOutcome(Installer.preview(action, tablesWithoutIdentity: tables))
        } catch {
            return CommandOutcome(
                Installer.preview(action, tablesWithoutIdentity: []),
                problem: "tables without a key are not listed: \(dsn.endpoint): \(error)")
        }
    }
}
