import Testing

@testable import WaldenPostgres

@Suite struct SQLScriptTests {
    @Test(
        arguments: [
            ("", []),
            ("-- nothing\n", []),
            (";;\n;", []),
            ("SELECT 1", [("", "SELECT 1")]),
            ("SELECT 1; SELECT 2;", [("", "SELECT 1"), ("", "SELECT 2")]),
            ("-- why\nSELECT 1;", [("why", "SELECT 1")]),
            ("-- the file\n\n-- why,\n-- at length\nSELECT 1;", [("why, at length", "SELECT 1")]),
            ("SELECT ';' || '--';SELECT 2", [("", "SELECT ';' || '--'"), ("", "SELECT 2")]),
            ("SELECT 'it''s; fine'; SELECT 2", [("", "SELECT 'it''s; fine'"), ("", "SELECT 2")]),
            ("SELECT \"a;b\"; SELECT 2", [("", "SELECT \"a;b\""), ("", "SELECT 2")]),
            ("SELECT 1 -- not; here\n, 2; SELECT 3", [("", "SELECT 1 -- not; here\n, 2"), ("", "SELECT 3")]),
            ("SELECT /* ; */ 1; SELECT 2", [("", "SELECT /* ; */ 1"), ("", "SELECT 2")]),
            ("DO $$ a; b $$; SELECT 2", [("", "DO $$ a; b $$"), ("", "SELECT 2")]),
            ("DO $x$ a; $$; $y$ b $x$; SELECT 2", [("", "DO $x$ a; $$; $y$ b $x$"), ("", "SELECT 2")]),
            ("SELECT $1; SELECT 2", [("", "SELECT $1"), ("", "SELECT 2")]),
            ("SELECT 'open; for ever", [("", "SELECT 'open; for ever")]),
            ("DO $$ open; for ever", [("", "DO $$ open; for ever")]),
        ] as [(String, [(String, String)])])
    func split(_ text: String, gives steps: [(String, String)]) {
        #expect(SQLScript.steps(text) == steps.map { InstallationStep(explanation: $0.0, sql: $0.1) })
    }

    @Test func titles() {
        #expect(
            InstallationStep(explanation: "Why. More.", sql: "CREATE TABLE t (\na int)").title == "CREATE TABLE t (")
        #expect(InstallationStep(explanation: "Why. More.", sql: "DO $$ x $$").title == "Why")
        #expect(InstallationStep(explanation: "", sql: "DO $$ x $$").title == "DO $$ x $$")
    }
}

@Suite struct InstallerTests {
    @Test func theEmbeddedFilesAreWhole() {
        let install = Installer.steps(.install).map(\.sql)
        #expect(install.first == "CREATE SCHEMA IF NOT EXISTS walden")
        #expect(install.contains { $0.contains("CREATE PUBLICATION walden FOR ALL TABLES") })
        #expect(install.contains { $0.hasPrefix("CREATE EVENT TRIGGER walden_ddl ON ddl_command_end") })
        #expect(install.contains { $0.hasPrefix("CREATE EVENT TRIGGER walden_drop ON sql_drop") })
        let uninstall = Installer.steps(.uninstall).map(\.sql)
        #expect(uninstall.first == "DROP PUBLICATION IF EXISTS walden")
        #expect(uninstall.contains("DROP SCHEMA IF EXISTS walden CASCADE"))
    }

    @Test func identitiesAreGivenBeforeTablesArePublished() throws {
        let steps = Installer.steps(.install).map(\.sql)
        let identities = try #require(steps.firstIndex { $0.contains("SELECT walden.keep_identities()") })
        let publication = try #require(steps.firstIndex { $0.contains("CREATE PUBLICATION") })
        #expect(identities < publication)
        let back = Installer.steps(.uninstall).map(\.sql)
        let dropped = try #require(back.firstIndex { $0.hasPrefix("DROP PUBLICATION") })
        let restored = try #require(back.firstIndex { $0.contains("REPLICA IDENTITY") })
        #expect(dropped < restored)
    }

    @Test func functionsThatRunWithTheirOwnersRightsFixTheirSearchPath() {
        for step in Installer.steps(.install) where step.sql.contains("SECURITY DEFINER") {
            #expect(step.sql.contains("SET search_path = pg_catalog, pg_temp"), "\(step.title)")
        }
    }

    @Test func theVersionIsTheOneOfTheFile() {
        let function = Installer.steps(.install).first { $0.sql.contains("walden.schema_version()") }
        #expect(function?.sql.contains("AS 'SELECT \(Installer.schemaVersion)'") == true)
    }

    @Test func everyStatementCanBeRunAgain() {
        let guards = [
            "IF NOT EXISTS", "OR REPLACE", "DROP EVENT TRIGGER IF EXISTS", "CREATE EVENT TRIGGER",
            "ALTER EVENT TRIGGER",
            "REVOKE", "GRANT", "SELECT walden.keep_identities()",
        ]
        for step in Installer.steps(.install) {
            #expect(guards.contains { step.sql.contains($0) }, "\(step.title)")
        }
    }

    @Test func thePreviewIsTheSameScript() {
        let preview = Installer.preview(
            .install, tablesWithoutIdentity: [TableName(schema: "public", name: "Order Lines")])
        #expect(SQLScript.steps(preview).map(\.sql) == ["BEGIN"] + Installer.steps(.install).map(\.sql) + ["COMMIT"])
        #expect(preview.contains("--   public.\"Order Lines\""))
        #expect(preview.split(separator: "\n").allSatisfy { $0.utf8.count <= 120 })
        #expect(!Installer.preview(.uninstall, tablesWithoutIdentity: []).contains("These tables"))
    }

    @Test(arguments: [
        ("42501", "superuser"), ("25006", "primary"), ("55P03", "lock"), ("42710", "--uninstall"), ("42P07", "rename"),
    ])
    func refusalsSayTheWayOut(of state: String, _ word: String) {
        let failure = InstallationFailure(
            step: InstallationStep(explanation: "", sql: "CREATE SCHEMA x\nAUTHORIZATION y"),
            error: PostgresError(.server, "no", sqlState: state))
        #expect(failure.wayOut.contains(word))
        #expect(failure.description.hasPrefix("CREATE SCHEMA x: no (SQLSTATE \(state)); "))
    }
}
