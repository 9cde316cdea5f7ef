import Testing
import WaldenPostgres

@testable import WaldenRuntime

@Suite struct DoctorCommandTests {
    private let fine = Finding(.walLevel, .ok, "the log carries row changes", evidence: "wal_level = logical")
    private let warning = Finding(
        .orphanSlots, .warning, "slots that nobody uses hold the log back", evidence: "walden_1",
        cure: "SELECT pg_drop_replication_slot('walden_1');")
    private let broken = Finding(
        .publication, .mustFix, "the publication is missing", evidence: "no \"walden\" in pg_publication",
        cure: "walden init, as a superuser")

    @Test func tellsEachFindingWithItsCure() {
        let outcome = DoctorCommand.outcome([fine, warning, broken])
        #expect(
            outcome.output == """
                ok       wal_level     the log carries row changes (wal_level = logical)
                warning  orphan_slots  slots that nobody uses hold the log back
                           seen: walden_1
                           cure: SELECT pg_drop_replication_slot('walden_1');
                MUST FIX publication   the publication is missing
                           seen: no "walden" in pg_publication
                           cure: walden init, as a superuser

                1 to be fixed, 1 to be considered, 1 fine

                """)
        #expect(outcome.problem == nil)
    }

    @Test func theStatusSaysWhetherSomethingMustBeFixed() {
        #expect(DoctorCommand.outcome([]).status == .success)
        #expect(DoctorCommand.outcome([fine, warning]).status == .success)
        #expect(DoctorCommand.outcome([fine, broken]).status == .failure)
        let unreachable = Finding(.connection, .mustFix, "the server cannot be asked", evidence: "refused")
        #expect(DoctorCommand.outcome([unreachable]).status == .unavailable)
    }

    @Test func aServerThatIsNotThereIsAFinding() {
        let outcome = DoctorCommand.run(dsn: "host=127.0.0.1 port=1", replicas: [], publication: "walden")
        #expect(outcome.status == .unavailable)
        #expect(outcome.output.contains("127.0.0.1"))
    }

    @Test(arguments: ["nonsense", "host=db password=topsecret oops", "postgres://u:topsecret@db:notaport/x"])
    func aMalformedConnectionStringIsNotRepeated(dsn: String) {
        for outcome in [
            DoctorCommand.run(dsn: dsn, replicas: [], publication: "walden"),
            DoctorCommand.run(dsn: "host=127.0.0.1 port=1", replicas: [dsn], publication: "walden"),
            InitCommand.run(dsn: dsn, mode: .install) { _ in },
            ExplainCommand.run(dsn: dsn, statement: "SELECT 1", session: .init()),
        ] {
            #expect(outcome.status == .usage)
            #expect(outcome.output.isEmpty)
            #expect(outcome.problem?.contains("topsecret") == false)
        }
    }
}
