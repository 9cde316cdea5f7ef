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
        // What is lacking before and not after, the installation has given.
        let before = action == .install ? tablesWithoutIdentity(connection) : []
        do throws(InstallationFailure) {
            let warnings = try Installer.run(action, on: connection) { report($0.title) }
            let after = action == .install ? tablesWithoutIdentity(connection) : []
            return CommandOutcome(
                result(action, database: dsn.database ?? "", altered: before.filter { !after.contains($0) }),
                problem: warnings.isEmpty ? nil : warnings.joined(separator: "\n"))
        } catch {
            throw CommandFailure("\(error)", error.error.exitStatus)
        }
    }

    /// None when they cannot be told; the installation itself says what it lacks.
    private static func tablesWithoutIdentity(_ connection: Connection) -> [TableName] {
        (try? Installer.tablesWithoutIdentity(connection)) ?? []
    }

    static func result(_ action: Installer.Action, database: String, altered: [TableName]) -> String {
        guard action == .install else { return "\nremoved from database \(database)\n" }
        var lines = ["", "installed version \(Installer.schemaVersion) in database \(database)"]
        if !altered.isEmpty {
            lines.append("tables without a key, now with REPLICA IDENTITY FULL, so that they can be updated still:")
            lines += altered.map { "  \($0)" }
        }
        lines.append("next: \\password walden in psql, then `walden doctor` tells what is left")
        return lines.map { $0 + "\n" }.joined()
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
