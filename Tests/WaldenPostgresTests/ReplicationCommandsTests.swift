import Testing

@testable import WaldenPostgres

@Suite struct ReplicationCommandsTests {
    @Test func slotCreationByVersion() {
        #expect(
            ReplicationCommands(serverVersion: 140_011).createSlot("walden_1")
                == "CREATE_REPLICATION_SLOT \"walden_1\" TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT")
        for version in [150_018, 160_000, 180_001] {
            #expect(
                ReplicationCommands(serverVersion: version).createSlot("walden_1")
                    == "CREATE_REPLICATION_SLOT \"walden_1\" TEMPORARY LOGICAL pgoutput (SNAPSHOT 'nothing')")
        }
    }

    @Test(arguments: [140_000, 150_018, 160_003, 170_000, 180_000])
    func startAsksForWhatEveryVersionKnows(_ version: Int) {
        #expect(
            ReplicationCommands(serverVersion: version).start(slot: "s", publication: "walden")
                == "START_REPLICATION SLOT \"s\" LOGICAL 0/0 (\"proto_version\" '2', "
                + "\"publication_names\" '\"walden\"', \"streaming\" 'on', \"binary\" 'true', \"messages\" 'true')")
    }

    @Test func namesAreQuoted() {
        #expect(ReplicationCommands.identifier("a\"b") == "\"a\"\"b\"")
        #expect(ReplicationCommands.literal("it's") == "'it''s'")
        let start = ReplicationCommands(serverVersion: 150_000).start(slot: "s", publication: "o'b\"c")
        #expect(start.contains("'\"o''b\"\"c\"'"))
        #expect(ReplicationCommands.prerequisites(publication: "o'b").contains("pubname = 'o''b'"))
    }

    @Test func theTextFormOfValuesIsFixed() {
        let names = Set(ReplicationCommands.settings.map(\.name))
        #expect(
            names.isSuperset(of: ["datestyle", "intervalstyle", "TimeZone", "extra_float_digits", "bytea_output"]))
    }
}
