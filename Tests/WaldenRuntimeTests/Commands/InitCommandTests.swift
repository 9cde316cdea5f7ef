import Testing
import WaldenPostgres

@testable import WaldenRuntime

@Suite struct InitCommandTests {
    private let nowhere = "host=127.0.0.1 port=1 dbname=shop"

    @Test func theSQLIsShownWithoutAServer() {
        let install = InitCommand.run(dsn: nowhere, mode: .preview(isUninstall: false)) { _ in }
        #expect(install.status == .success)
        #expect(install.output.contains("CREATE PUBLICATION"))
        #expect(install.problem?.contains("tables without a key are not listed") == true)
        let uninstall = InitCommand.run(dsn: nowhere, mode: .preview(isUninstall: true)) { _ in }
        #expect(uninstall.status == .success)
        #expect(uninstall.output.contains("DROP PUBLICATION"))
        #expect(uninstall.problem == nil)
    }

    @Test func aServerThatIsNotThereEndsIt() {
        var steps: [String] = []
        for mode in [InitCommand.Mode.install, .uninstall] {
            let outcome = InitCommand.run(dsn: nowhere, mode: mode) { steps.append($0) }
            #expect(outcome.status == .unavailable)
            #expect(outcome.problem?.hasPrefix("127.0.0.1:1: ") == true)
        }
        #expect(steps.isEmpty)
    }

    @Test(arguments: [
        (PostgresError(.unreachable, "no route"), CommandOutcome.Status.unavailable),
        (PostgresError(.timedOut, "too late"), .unavailable),
        (PostgresError(.server, "no such role", sqlState: "28000"), .noPermission),
        (PostgresError(.server, "no such database", sqlState: "3D000"), .unavailable),
        (PostgresError(.server, "too many clients", sqlState: "53300"), .unavailable),
        (PostgresError(.server, "starting up", sqlState: "57P03"), .unavailable),
        (PostgresError(.server, "permission denied", sqlState: "42501"), .noPermission),
        (PostgresError(.server, "no code"), .failure),
        (PostgresError(.unsupported, "too old"), .failure),
    ])
    func theStatusTellsAnAbsentServerFromARefusal(error: PostgresError, status: CommandOutcome.Status) throws {
        #expect(CommandFailure(error, at: try DSN(nowhere)).status == status)
    }

    @Test func theResultNamesTheTablesThatWereAltered() {
        #expect(
            InitCommand.result(.install, database: "shop", altered: []) == """

                installed version 3 in database shop
                next: \\password walden in psql, then `walden doctor` tells what is left

                """)
        #expect(
            InitCommand.result(.install, database: "shop", altered: [TableName(schema: "public", name: "log")]) == """

                installed version 3 in database shop
                tables without a key, now with REPLICA IDENTITY FULL, so that they can be updated still:
                  public.log
                next: \\password walden in psql, then `walden doctor` tells what is left

                """)
        #expect(InitCommand.result(.uninstall, database: "shop", altered: []) == "\nremoved from database shop\n")
    }
}
