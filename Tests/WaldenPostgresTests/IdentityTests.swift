import Testing
import WaldenCore

@testable import WaldenPostgres

@Suite struct ServerIdentityTests {
    private func identity(system: String = "7", timeline: UInt32 = 1, startedAt: Int64 = 5) -> ServerIdentity {
        ServerIdentity(
            system: SystemIdentity(systemIdentifier: system, timeline: TimelineID(timeline), serverVersion: 150_018),
            startedAt: startedAt)
    }

    @Test func changes() {
        let before = identity()
        #expect(before.change(from: nil) == .first)
        #expect(identity().change(from: before) == .none)
        #expect(identity(startedAt: 6).change(from: before) == .restarted)
        #expect(identity(timeline: 2, startedAt: 6).change(from: before) == .otherTimeline)
        #expect(identity(system: "8", timeline: 2).change(from: before) == .otherSystem)
    }

    @Test func theTimelineIsReadOffTheFileName() throws {
        let parsed = try ServerIdentity(row: ["7", "0000001B000000AA000000CC", "5"], serverVersion: 150_018)
        #expect(parsed == identity(timeline: 27))
    }

    @Test func aStandbyIsTold() {
        let error = #expect(throws: PostgresError.self) {
            try ServerIdentity(row: ["7", nil, "5"], serverVersion: 150_018)
        }
        #expect(error?.kind == .unsupported)
        #expect(error?.sqlState == "25006")
    }

    @Test(arguments: [[], ["7"], [nil, "000000010000000000000001", "5"], ["7", "x", "5"], ["7", "00000001", "x"]])
    func oddAnswersAreRefused(_ row: [String?]) {
        let error = #expect(throws: PostgresError.self) { try ServerIdentity(row: row, serverVersion: 150_018) }
        #expect(error?.kind == .unexpectedReply)
    }
}

@Suite struct NodeFactsTests {
    private func parse(_ row: [String?]) -> NodeFacts? {
        NodeFacts(row: row, serverVersion: 150_018, roundTrip: .milliseconds(1))
    }

    @Test func aPrimary() throws {
        let facts = try #require(
            parse(
                [
                    "7", "f", "00000002000000AA000000CC", "1", "16/B374D848", nil, nil, nil, "f", "5", "16/B374D000",
                    nil,
                    nil, "97:100:97,98", nil, nil,
                ]))
        #expect(facts.snapshot == Snapshot("97:100:97,98"))
        #expect(facts.transactions == nil)
        #expect(!facts.isInRecovery)
        #expect(facts.system.timeline == TimelineID(2), "not the one of the last checkpoint")
        #expect(facts.insertLSN == LSN("16/B374D848"))
        #expect(facts.flushedLSN == LSN("16/B374D000"))
        #expect(facts.receivedLSN == nil)
        #expect(facts.replayDelay == nil)
        #expect(facts.startedAt == 5)
    }

    @Test func aStandby() throws {
        let facts = try #require(
            parse(
                [
                    "7", "t", nil, "3", nil, "0/200", "0/100", "1500000", "t", "5", "0/180", "streaming", "replica_1",
                    nil, "101", "97,98",
                ]))
        #expect(facts.snapshot == nil)
        #expect(
            facts.transactions
                == ReplayedTransactions(xmax: TransactionID(101), committed: [97, 98].map(TransactionID.init)))
        #expect(facts.isInRecovery)
        #expect(facts.system.timeline == TimelineID(3))
        #expect(facts.receivedLSN == LSN(0x200))
        #expect(facts.flushedLSN == LSN(0x180))
        #expect(facts.receiverStatus == "streaming")
        #expect(facts.receiverSlot == "replica_1")
        #expect(facts.replayedLSN == LSN(0x100))
        #expect(facts.replayDelay == .milliseconds(1500))
        #expect(facts.isReplayPaused)
        #expect(facts.insertLSN == nil)
    }

    @Test func aClockThatRanBackGivesNoNegativeDelay() {
        #expect(parse(["7", "t", nil, "3", nil, nil, "0/100", "-20", "f", "5"] + nothing)?.replayDelay == .zero)
    }

    private let nothing = [String?](repeating: nil, count: 6)

    @Test func whatStandbysAreAskedOf() {
        let few = Snapshot(xmin: TransactionID(7), xmax: TransactionID(10), inProgress: [9, 7].map(TransactionID.init))
        #expect(NodeFacts.parameter(asking: few) == "{7,9}")
        #expect(ReplayedTransactions("101", nil) == ReplayedTransactions(xmax: TransactionID(101)))
        #expect(ReplayedTransactions("101", "97,x") == nil)
        #expect(ReplayedTransactions(nil, nil) == nil)
        let many = Snapshot(
            xmin: TransactionID(1), xmax: TransactionID(300), inProgress: (1...257).map { TransactionID(UInt64($0)) })
        #expect(NodeFacts.parameter(asking: many) == nil)
    }

    @Test(arguments: [
        [], ["7", "t"], [nil, "t", nil, "3", nil, nil, nil, nil, "f", "5", nil, nil, nil, nil, nil, nil],
    ])
    func oddAnswersAreRefused(_ row: [String?]) {
        #expect(parse(row) == nil)
    }
}

@Suite struct SlotFactsTests {
    @Test(
        arguments: [
            (
                ["s", "t", "f", "4096", "extended"],
                SlotFacts(
                    name: "s", isLogical: true, isActive: false, retainedBytes: 4096, state: "extended")
            ),
            (
                ["s", "f", "t", nil, "lost"],
                SlotFacts(
                    name: "s", isLogical: false, isActive: true, retainedBytes: nil, state: "lost")
            ),
            (
                ["s", "f", "t", "-8", nil],
                SlotFacts(
                    name: "s", isLogical: false, isActive: true, retainedBytes: 0, state: nil)
            ),
            ([nil, "f", "t", "1", nil], nil), ([], nil),
        ] as [([String?], SlotFacts?)])
    func rows(row: [String?], slot: SlotFacts?) {
        #expect(SlotFacts(row: row) == slot)
    }
}
