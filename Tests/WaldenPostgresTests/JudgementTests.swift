import Testing
import WaldenCore

@testable import WaldenPostgres

@Suite struct JudgementTests {
    static func table(
        _ name: String, identity: ReplicaIdentity = .default, hasIndex: Bool = true, isPublished: Bool = true,
        hasRowFilter: Bool = false, hasColumnList: Bool = false
    ) -> TableFacts {
        TableFacts(
            name: TableName(schema: "public", name: name), replicaIdentity: identity, hasIdentityIndex: hasIndex,
            isPublished: isPublished, hasRowFilter: hasRowFilter, hasColumnList: hasColumnList)
    }

    /// A server at which nothing is wrong.
    static let healthy = ServerFacts(
        serverVersion: 150_018, isGreenplum: false, isInRecovery: false, database: "shop",
        role: .init(name: "walden", isSuperuser: false, canReplicate: true), walLevel: "logical",
        slots: .init(limit: 10, used: 1, ownedByWalden: 1), senders: .init(limit: 10, used: 1, ownedByWalden: 1),
        forbiddenFunctions: [], replicationRefusal: nil, publicationName: "walden",
        publication: .init(coversAllTables: true, publishesAll: true), tables: [table("orders"), table("lines")],
        eventTriggers: ["walden_ddl", "walden_drop", "walden_start"].map { .init(name: $0, enabled: "A") },
        schemaVersion: Installer.schemaVersion, slotKeepSize: "-1", orphanSlots: [],
        synchronousStandbyNames: "ANY 1 (a, b)", clockOffset: .milliseconds(3))

    private func findings(_ change: (inout ServerFacts) -> Void) -> [Finding] {
        var facts = Self.healthy
        change(&facts)
        return Judgement.judge(facts)
    }

    /// The findings that are not ok.
    private func complaints(_ change: (inout ServerFacts) -> Void) -> [Finding] {
        findings(change).filter { $0.severity != .ok }
    }

    @Test func aHealthyServerHasNothingToCure() {
        let findings = Judgement.judge(Self.healthy)
        #expect(findings.allSatisfy { $0.severity == .ok })
        #expect(Set(findings.map(\.id)).count == findings.count)
        #expect(findings.count == 20)
    }

    typealias Case = (change: @Sendable (inout ServerFacts) -> Void, id: Finding.ID, cure: String, blocks: Bool)

    static let cases: [Case] = [
        ({ $0.serverVersion = 130_012 }, .version, "upgrade", true),
        ({ $0.isGreenplum = true }, .product, "without caching", true),
        ({ $0.isInRecovery = true }, .recovery, "--replica", true),
        ({ $0.walLevel = "replica" }, .walLevel, "ALTER SYSTEM SET wal_level = 'logical'", true),
        (
            { $0.slots = .init(limit: 4, used: 4, ownedByWalden: 0) }, .replicationSlots,
            "ALTER SYSTEM SET max_replication_slots = 9", true
        ),
        (
            { $0.senders = .init(limit: 4, used: 4, ownedByWalden: 0) }, .walSenders,
            "ALTER SYSTEM SET max_wal_senders = 9", true
        ),
        ({ $0.role.canReplicate = false }, .replicationRole, "ALTER ROLE \"walden\" REPLICATION", true),
        (
            { $0.replicationRefusal = PostgresError(.server, "no pg_hba.conf entry", sqlState: "28000") },
            .replicationConnection, "host shop walden", true
        ),
        (
            { $0.forbiddenFunctions = ["pg_catalog.pg_control_system()"] }, .functions,
            "GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system() TO \"walden\"", true
        ),
        ({ $0.publication = nil }, .publication, "walden init", true),
        (
            { $0.publication = .init(coversAllTables: true, publishesAll: false) }, .publicationActions,
            "ALTER PUBLICATION \"walden\" SET", true
        ),
        (
            { $0.tables.append(table("Odd One", isPublished: false)) }, .coverage,
            "ADD TABLE public.\"Odd One\"", false
        ),
        ({ $0.tables.append(table("t", hasRowFilter: true)) }, .rowFilters, "DROP TABLE public.t", false),
        ({ $0.tables.append(table("t", hasColumnList: true)) }, .columnLists, "ADD TABLE public.t", false),
        (
            { $0.tables.append(table("t", hasIndex: false)) }, .replicaIdentity,
            "ALTER TABLE public.t REPLICA IDENTITY FULL", false
        ),
        ({ $0.tables.append(table("t", identity: .nothing)) }, .replicaIdentity, "REPLICA IDENTITY FULL", false),
        ({ $0.eventTriggers.removeLast() }, .eventTriggers, "walden init", true),
        ({ $0.eventTriggers[0].enabled = "D" }, .eventTriggers, "ALTER EVENT TRIGGER walden_ddl ENABLE", true),
        ({ $0.eventTriggers[0].enabled = "O" }, .eventTriggers, "ALTER EVENT TRIGGER walden_ddl ENABLE", true),
        ({ $0.eventTriggers[1].enabled = "R" }, .eventTriggers, "ALTER EVENT TRIGGER walden_drop ENABLE", true),
        ({ $0.schemaVersion = nil }, .schemaVersion, "walden init", true),
        ({ $0.schemaVersion = 1 }, .schemaVersion, "walden init", false),
        ({ $0.schemaVersion = 9 }, .schemaVersion, "newer program", false),
        ({ $0.orphanSlots = ["walden_a", "walden_b"] }, .orphanSlots, "pg_drop_replication_slot('walden_a')", false),
        ({ $0.synchronousStandbyNames = "*" }, .synchronousStandbys, "by name", false),
        ({ $0.synchronousStandbyNames = "FIRST 1 (a, \"Walden\")" }, .synchronousStandbys, "by name", false),
        ({ $0.clockOffset = .seconds(-5) }, .clock, "time service", false),
    ]

    @Test(arguments: cases.indices)
    func oneThingWrongGivesOneFinding(at index: Int) {
        let (change, id, cure, blocks) = Self.cases[index]
        let complaints = complaints(change)
        #expect(complaints.map(\.id) == [id])
        #expect(complaints.first?.cure?.contains(cure) == true, "\(complaints)")
        #expect(complaints.first?.blocksCaching == blocks)
    }

    @Test func aFullPoolIsNoFaultWhenWaldenIsInIt() {
        #expect(complaints { $0.slots = .init(limit: 4, used: 4, ownedByWalden: 1) }.isEmpty)
    }

    @Test func aSuperuserMayReplicate() {
        #expect(
            complaints {
                $0.role.canReplicate = false
                $0.role.isSuperuser = true
            }.isEmpty)
    }

    @Test func anOldServerIsNotJudgedFurther() {
        let findings = findings {
            $0.serverVersion = 90_624
            $0.walLevel = "minimal"
        }
        #expect(findings.map(\.id) == [.version, .recovery])
    }

    @Test func tablesAreNotJudgedWithoutPublication() {
        let ids = findings { $0.publication = nil }.map(\.id)
        #expect(!ids.contains(.coverage))
        #expect(!ids.contains(.replicaIdentity))
    }

    @Test func unpublishedTablesNeedNoIdentity() {
        let ids = complaints { $0.tables.append(Self.table("t", hasIndex: false, isPublished: false)) }.map(\.id)
        #expect(ids == [.coverage])
    }

    @Test func longListsAreCut() {
        let finding = complaints { facts in
            facts.tables = (1...8).map { Self.table("t\($0)", isPublished: false) }
        }.first
        #expect(
            finding?.evidence
                == "0 of 8 tables; not public.t1, public.t2, public.t3, public.t4, public.t5 and 3 more")
    }

    @Test func anotherReasonToRefuseReplicationKeepsItsOwnCure() {
        let finding = complaints {
            $0.replicationRefusal = PostgresError(.server, "too many", sqlState: "53300")
        }.first
        #expect(finding?.cure == Cures.forSQLState("53300"))
    }

    @Test func aServerThatCannotBeAskedIsAFinding() {
        let finding = Judgement.unreachable(PostgresError(.unreachable, "refused"), endpoint: "db:5432")
        #expect(finding.blocksCaching)
        #expect(finding.cure?.contains("db:5432") == true)
    }

    @Test func severitiesAreOrdered() {
        #expect(Finding.Severity.ok < .warning)
        #expect(Finding.Severity.warning < .mustFix)
        #expect(!(Finding.Severity.mustFix < .ok))
    }

    @Test func aWarningNeverBlocks() {
        for id in Finding.ID.allCases {
            #expect(!Finding(id, .warning, "", evidence: "").blocksCaching)
        }
    }
}

@Suite struct ReplicaJudgementTests {
    private let primary = SystemIdentity(systemIdentifier: "7", timeline: TimelineID(1), serverVersion: 150_018)

    private func judge(
        system: String = "7", isInRecovery: Bool = true, isPaused: Bool = false, delay: Duration? = .seconds(2)
    ) -> Finding {
        let facts = NodeFacts(
            system: SystemIdentity(systemIdentifier: system, timeline: TimelineID(1), serverVersion: 150_018),
            isInRecovery: isInRecovery, insertLSN: nil, receivedLSN: LSN(2), replayedLSN: LSN(1), replayDelay: delay,
            isReplayPaused: isPaused, startedAt: 0, roundTrip: .zero)
        return Judgement.judgeReplica(facts, endpoint: "r:1", primary: primary)
    }

    @Test func verdicts() {
        #expect(judge().severity == .ok)
        #expect(judge().evidence == "r:1: 2 s behind")
        #expect(judge(delay: nil).evidence == "r:1: nothing replayed yet")
        #expect(judge(system: "8").severity == .mustFix)
        #expect(judge(isInRecovery: false).severity == .mustFix)
        #expect(judge(isPaused: true).severity == .warning)
        #expect(judge(isPaused: true).cure == "SELECT pg_wal_replay_resume();")
    }
}

@Suite struct TableFactsTests {
    @Test(arguments: [
        (ReplicaIdentity.full, false, true), (.full, true, true), (.nothing, true, false), (.default, true, true),
        (.default, false, false), (.index, true, true), (.index, false, false),
    ])
    func identity(_ identity: ReplicaIdentity, hasIndex: Bool, gives usable: Bool) {
        #expect(JudgementTests.table("t", identity: identity, hasIndex: hasIndex).hasIdentity == usable)
    }

    @Test(arguments: [
        ("t", "public.t"), ("order_2", "public.order_2"), ("2nd", "public.\"2nd\""), ("Order", "public.\"Order\""),
        ("a\"b", "public.\"a\"\"b\""), ("", "public.\"\""), ("é", "public.\"é\""),
    ])
    func names(_ name: String, areQuoted text: String) {
        #expect(TableName(schema: "public", name: name).description == text)
    }
}
