import Testing
import WaldenCore

@testable import WaldenFailover

/// Risk: somebody changes `synchronous_standby_names` at a moment at which the sentinel counts on what it was: the old primary
/// acknowledges by the new rule what those severed by the former one do not hold.
@Suite struct RuleChangeTests {
    /// Each is reached with a primary that still tells its rule.
    private static func bench(in state: FailoverState) throws -> Bench {
        var policy = FailoverPolicy()
        policy.hasFenceHook = state == .fence
        policy.isAutomatic = state != .suspect
        var bench = Bench(policy: policy)
        if state == .needsHuman { bench.change(Bench.c) { $0.systemIdentifier = "2" } }
        bench.pass(.milliseconds(200))
        switch state {
        case .suspect:
            bench.kill(Bench.a)
            bench.pass(.milliseconds(50))
        case .maintenance:
            bench.machine.observe(.requested(.pause), at: bench.now)
            bench.pass(.milliseconds(50))
        case .needsHuman: bench.pass(.milliseconds(800))
        case .hold, .sever, .census, .fence, .aborting, .opening: stay(&bench, in: state)
        case .discover, .steady, .promote, .open: break
        }
        try #require(bench.machine.state == state)
        _ = bench.takeTranscript()
        return bench
    }

    /// A switchover, which does not come further.
    private static func stay(_ bench: inout Bench, in state: FailoverState) {
        bench.outcomes["drain"] = .failed("not yet")
        bench.machine.observe(.requested(.switchover(to: nil)), at: bench.now)
        bench.pass(.milliseconds(200))
        let refused = StepOutcome.failed("not yet")
        switch state {
        case .sever: bench.outcomes["sever"] = refused
        case .census: for node in [Bench.b, Bench.c] { bench.change(node) { $0.freeSlots = 0 } }
        case .fence: bench.outcomes["fence_hook"] = refused
        case .opening: bench.outcomes["create_slot"] = refused
        case .aborting:
            bench.outcomes["release"] = refused
            return bench.pass(.seconds(10))
        default: return
        }
        bench.outcomes["drain"] = nil
        for _ in 0..<20 where bench.machine.state != state { bench.pass(.milliseconds(50)) }
    }

    /// The primary tells another rule; nothing else happens.
    private static func tell(_ names: String, _ bench: inout Bench) {
        let primary = bench.machine.evidence.primary
        bench.change(primary) { $0.synchronousStandbyNames = names }
        let report = NodeReport(
            systemIdentifier: "1", timeline: TimelineID(1), isInRecovery: false, received: LSN(1_000),
            replayed: LSN(1_000), synchronousStandbyNames: names, askedAt: bench.now)
        bench.machine.observe(.reported(primary, report), at: bench.now)
        bench.pass(.milliseconds(50), looking: false)
    }

    private static func rule(_ required: Int, _ members: Set<NodeID> = [Bench.b, Bench.c]) throws -> SynchronousRule {
        try SynchronousRule(required: required, of: members)
    }

    // MARK: The journal

    @Test(arguments: [
        FailoverState.steady, .suspect, .hold, .sever, .census, .fence, .opening, .aborting, .needsHuman, .maintenance,
    ])
    func itIsRecordedAtOnceAndTheStateGoesOn(state: FailoverState) throws {
        var bench = try Self.bench(in: state)
        let entered = bench.machine.enteredAt
        // No less is proven by it.
        Self.tell("ANY 2 (a, b, c)", &bench)
        let record = try #require(bench.records.last)
        #expect((record.state, record.row) == (state, 215))
        #expect(record.rules.current == (try Self.rule(2, [Bench.a, Bench.b, Bench.c])))
        #expect(record.rules.outgoing.isEmpty == false)
        #expect(bench.machine.state == state)
        #expect(bench.machine.enteredAt == entered)
    }

    /// What was done is not done again: work is held already. (The drain had failed, and the
    /// standbys are seen to hold what the old rule acknowledged.)
    @Test func ordersOfTheStateStand() throws {
        var bench = try Self.bench(in: .hold)
        Self.tell("ANY 2 (a, b, c)", &bench)
        bench.outcomes["drain"] = nil
        bench.pass(.milliseconds(300))
        #expect(
            bench.takeTranscript().hasPrefix(
                """
                215 hold
                  record hold
                  drain
                215 hold
                  record hold
                  drain
                  checkpoint a
                420 sever
                """))
    }

    /// One severed standby is proof by the rule that was known, and not by that which somebody set meanwhile.
    @Test func theNextLifeGoesByIt() throws {
        func survivor(_ record: JournalRecord) -> NodeID {
            var restarted = Bench(resuming: record, unwatchedFor: .seconds(1))
            restarted.kill(Bench.a)
            restarted.away[Bench.c] = .silent
            restarted.pass(.seconds(20))
            return restarted.machine.evidence.primary
        }
        var bench = try Self.bench(in: .sever)
        Self.tell("ANY 2 (b, c)", &bench)
        var record = try #require(bench.records.last)
        #expect(record.rules.outgoing == [try Self.rule(1)])
        #expect(survivor(record) == Bench.a)
        record.rules = SynchronousRules(try Self.rule(2))
        #expect(survivor(record) == Bench.b)
    }

    /// The candidate is decided, and the record with it: whoever sets a rule at the old primary binds nobody.
    @Test func pastThePointOfNoReturnItDoesNotCount() throws {
        var bench = try Self.bench(in: .hold)
        bench.outcomes["drain"] = nil
        bench.outcomes["promote"] = .failed("57014")
        bench.pass(.milliseconds(300))
        #expect(bench.machine.state == .promote)
        let (records, rules) = (bench.records.count, bench.machine.incident?.rules)
        Self.tell("ANY 1 (c)", &bench)
        #expect(bench.records.count == records)
        #expect(bench.machine.incident?.rules == rules)
        bench.outcomes["promote"] = nil
        bench.pass(.seconds(1))
        #expect(bench.machine.evidence.primary == Bench.b)
    }

    /// The same while its record is on the way to the disk.
    @Test func norWhileThatIsBeingRecorded() throws {
        var bench = try Self.bench(in: .fence)
        bench.outcomes["fence_hook"] = nil
        bench.writesRecords = false
        bench.pass(.milliseconds(300))
        #expect(bench.records.last?.state == .promote)
        let rules = bench.machine.incident?.rules
        Self.tell("ANY 1 (c)", &bench)
        #expect(bench.machine.incident?.rules == rules)
    }

    // MARK: The proof

    /// b and c are severed by then, or are to be.
    private static let changes: [(FailoverState, String, Int?)] = [
        (.hold, "", 405), (.hold, "*", 405), (.sever, "", 505), (.census, "", 605), (.fence, "", 705),
        (.hold, "ANY 2 (b, c)", nil), (.sever, "ANY 2 (b, c)", nil), (.census, "ANY 2 (a, b, c)", nil),
        (.census, "ANY 1 (a, c)", 605), (.fence, "ANY 2 (a, b, c)", nil), (.fence, "ANY 1 (a, b)", 705),
    ]

    @Test(arguments: changes)
    func whereNothingIsProvenByItTheIncidentIsGivenUp(state: FailoverState, names: String, row: Int?) throws {
        var bench = try Self.bench(in: state)
        Self.tell(names, &bench)
        #expect(bench.rows.first { $0 != 215 } == row)
        guard row != nil else { return #expect(bench.machine.state == state) }
        let aborted = bench.records.last { $0.state == .aborting }
        #expect(aborted?.incident?.refusal?.contains("synchronous_standby_names was changed") ?? false)
        bench.outcomes = [:]
        bench.pass(.seconds(1))
        #expect(bench.machine.state == .steady)
        #expect(bench.machine.evidence.primary == Bench.a)
        #expect(bench.machine.detached.isEmpty)
    }

    /// What is enough to go on is heard of at the same moment as the rule by which it is not.
    @Test func itCountsBeforeWhatElseIsHeardOf() throws {
        var severing = try Self.bench(in: .sever)
        severing.outcomes["sever"] = nil
        severing.pass(.milliseconds(300), looking: false)
        for milliseconds in [10, 20] {
            for node in [Bench.b, Bench.c] {
                Self.reportSevered(node, at: severing.now + .milliseconds(milliseconds), &severing)
            }
        }
        #expect(severing.machine.incident?.isProven ?? false)
        Self.tell("", &severing)
        #expect(severing.rows.first { $0 != 215 } == 505)

        var choosing = try Self.bench(in: .census)
        for node in [Bench.b, Bench.c] {
            Self.reportSevered(node, at: choosing.now + .milliseconds(10), &choosing)
        }
        Self.tell("", &choosing)
        #expect(choosing.rows.first { $0 != 215 } == 605)
    }

    private static func reportSevered(_ node: NodeID, at asked: Instant, _ bench: inout Bench) {
        let report = NodeReport(
            systemIdentifier: "1", timeline: TimelineID(1), isInRecovery: true, received: LSN(1_000),
            replayed: LSN(1_000), hasUpstream: false, freeSlots: 1, askedAt: asked)
        bench.machine.observe(.reported(node, report), at: asked)
    }

    /// The new primary gets what the old one had last, not what it had when the switchover began.
    @Test func theNewPrimaryGetsTheNewestRule() throws {
        var bench = try Self.bench(in: .hold)
        Self.tell("ANY 2 (b, c)", &bench)
        bench.outcomes["drain"] = nil
        bench.pass(.seconds(1))
        #expect(bench.machine.evidence.primary == Bench.b)
        #expect(bench.machine.evidence.rules.current == (try Self.rule(2, [Bench.a, Bench.c])))
    }

    /// Whoever orders it whatever it costs has it so.
    @Test func aForcedFailoverAsksForNoProof() throws {
        var bench = try Self.bench(in: .suspect)
        bench.outcomes["sever"] = .failed("not yet")
        bench.machine.observe(.requested(.force), at: bench.now)
        bench.pass(.milliseconds(300))
        #expect(bench.machine.state == .sever)
        Self.tell("", &bench)
        bench.outcomes = [:]
        bench.pass(.seconds(2))
        #expect(bench.machine.evidence.primary == Bench.b)
    }

    /// Found dead before its standbys were seen to hold what there was: people are told why nothing is proven.
    @Test func aRuleThatIsNotProvenYetIsTold() {
        var bench = Bench()
        bench.pass(.milliseconds(50))
        bench.kill(Bench.a)
        bench.pass(.seconds(5))
        #expect(bench.machine.state == .needsHuman)
        #expect(bench.details.contains { $0.contains("synchronous_standby_names is new") })
    }
}
