/// What `walden init` does to a database: the statements of sql/install.sql or sql/uninstall.sql, in one transaction.
public enum Installer {
    public enum Action: Hashable, Sendable {
        case install, uninstall
    }

    /// The version that `walden.schema_version()` gives after an installation by this program.
    public static let schemaVersion = 3

    /// In order of execution.
    public static func steps(_ action: Action) -> [InstallationStep] {
        let bytes = action == .install ? PackageResources.install_sql : PackageResources.uninstall_sql
        return SQLScript.steps(String(decoding: bytes, as: UTF8.self))
    }

    /// The text of `--dry-run`: SQL that does the same when an administrator runs it.
    ///
    /// - Parameter tables: those that would get the replica identity FULL (`tablesWithoutIdentity`).
    public static func preview(_ action: Action, tablesWithoutIdentity tables: [TableName]) -> String {
        var lines = ["BEGIN;", ""]
        for step in steps(action) {
            lines += wrapped(step.explanation).map { "-- \($0)" }
            lines += ["\(step.sql);", ""]
        }
        lines.append("COMMIT;")
        if action == .install, !tables.isEmpty {
            lines += ["", "-- These tables have no key and get the replica identity FULL:"]
            lines += tables.map { "--   \($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Permanent tables whose UPDATE and DELETE a publication would make fail.
    public static func tablesWithoutIdentity(_ connection: Connection) throws(PostgresError) -> [TableName] {
        try TableFacts.read(connection, publication: "walden").filter { !$0.hasIdentity }.map(\.name)
    }

    /// Runs the statements; all or none take effect. Calls `report` before each.
    ///
    /// - Returns: warnings of the server, e.g. of a table that was locked too long to be altered.
    public static func run(
        _ action: Action, on connection: Connection, report: (InstallationStep) -> Void = { _ in }
    ) throws(InstallationFailure) -> [String] {
        try execute(InstallationStep(explanation: "", sql: "BEGIN"), connection)
        for step in steps(action) {
            report(step)
            try execute(step, connection)
        }
        try execute(InstallationStep(explanation: "", sql: "COMMIT"), connection)
        return connection.takeNotices().filter { $0.hasPrefix("WARNING") }
    }

    private static func execute(_ step: InstallationStep, _ connection: Connection) throws(InstallationFailure) {
        do throws(PostgresError) {
            // Altering many tables takes its time, each of them up to its lock timeout.
            _ = try connection.executeSimple(step.sql, timeout: .seconds(600))
        } catch {
            // Ends the transaction, and with it all that went before.
            connection.close()
            throw InstallationFailure(step: step, error: error)
        }
    }

    private static func wrapped(_ text: String) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ") {
            let last = lines[lines.count - 1]
            if last.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if last.utf8.count + word.utf8.count < 115 {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines.filter { !$0.isEmpty }
    }
}

/// The statement at which an installation stopped, and what to do about it. Nothing has changed in the database.
public struct InstallationFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public let step: InstallationStep
    public let error: PostgresError

    public var wayOut: String {
        switch error.sqlState {
        case "42501":
            "run it as a superuser (FOR ALL TABLES and event triggers need one), for example as the user postgres on "
                + "the server, or hand the SQL of `walden init --dry-run` to an administrator"
        case "25006": "name the primary: a standby cannot be written to"
        case "55P03": "another session holds a lock for long; end it or try again later"
        case "42P07", "42710": "something else has this name: rename it, or run `walden init --uninstall` first"
        default: error.cure ?? "see the server's log"
        }
    }

    public var description: String {
        "\(step.title): \(error.message)" + (error.sqlState.map { " (SQLSTATE \($0))" } ?? "") + "; \(wayOut)"
    }
}
