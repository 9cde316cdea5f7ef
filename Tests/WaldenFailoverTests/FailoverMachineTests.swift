import Testing
import WaldenCore

@testable import WaldenFailover

/// Risk: a step out of order, without its record, or without its proof.
@Suite struct FailoverMachineTests {
    private static func steady(
        policy: FailoverPolicy = FailoverPolicy(), names: String = "ANY 1 (b, c)"
    ) -> Bench {
        var bench = Bench(policy: policy, names: names)
        bench.pass(.milliseconds(200))
        _ = bench.takeTranscript()
        return bench
    }

    @Test func aPrimaryIsFound() {
        var bench = Bench()
        bench.pass(.milliseconds(100))
        #expect(
            bench.takeTranscript() == """
                120 steady
                  record steady
                  release
                215 steady
                  record steady
                """)
        #expect(bench.machine.state == .steady)
    }

    @Test func aCrashFromItsFirstSignToItsEnd() {
        var bench = Self.steady()
        bench.kill(Bench.a)
        bench.pass(.seconds(1))
        #expect(
            bench.takeTranscript() == """
                220 suspect
                310 hold
                  record hold
                  hold
                410 sever
                  record sever
                  sever b
                  sever c
                500 census
                  record census
                600 fence
                  record fence
                  raise_term
                  close_connections a
                710 promote
                  record promote
                  raise_term
                  close_connections a
                  set_synchronous_names b
                  promote b
                800 opening
                  record opening
                  follow c
                  create_slot b
                  begin_epoch
                900 open
                  record open
                  release
                1000 steady
                  record steady
                  release
                """)
        #expect(bench.machine.evidence.primary == Bench.b)
        #expect(bench.machine.evidence.rules.current?.members == [Bench.a, Bench.c])
        #expect(bench.machine.parted == [Bench.a])
    }

    @Test func silenceIsConfirmedForASecond() {
        var bench = Self.steady()
        bench.isolate(Bench.a, after: .seconds(1))
        bench.pass(.milliseconds(1_500))
        #expect(bench.machine.state == .suspect)
        bench.pass(.seconds(1))
        #expect(bench.machine.state == .steady)
        #expect(bench.machine.evidence.primary == Bench.b)
    }

    /// One standby still hears of it.
    @Test func nothingIsDoneBlindly() {
        var bench = Self.steady()
        bench.isolate(Bench.a, after: .seconds(1))
        bench.change(Bench.c) { $0.receiver?.silentFor = .milliseconds(10) }
        bench.pass(.seconds(60))
        #expect(bench.rows == [220])
        #expect(bench.machine.state == .suspect)
    }

    @Test(arguments: [Contact.full(replication: true), .starting, .denied(sqlState: "28000")])
    func whoAnswersSomehowIsNotDead(contact: Contact) {
        var bench = Self.steady()
        bench.away[Bench.a] = contact
        bench.machine.observe(.sessionBroke, at: bench.now)
        bench.pass(.seconds(60))
        #expect(!bench.rows.contains(310))
    }

    /// Before anything is severed, the primary's return ends it.
    @Test func aPrimaryThatComesBackInTimeStays() {
        var bench = Self.steady()
        bench.outcomes["hold"] = .failed("busy")
        bench.kill(Bench.a)
        bench.pass(.milliseconds(100))
        #expect(bench.machine.state == .hold)
        bench.away[Bench.a] = nil
        bench.outcomes["hold"] = nil
        bench.pass(.milliseconds(400))
        #expect(bench.rows.contains(400))
        #expect(bench.machine.state == .steady)
        #expect(bench.machine.evidence.primary == Bench.a)
    }

    /// Without its record a state has no effects, however long the disk takes.
    @Test func nothingIsDoneBeforeItsRecord() {
        var bench = Self.steady()
        bench.writesRecords = false
        bench.kill(Bench.a)
        bench.pass(.seconds(30))
        let transcript = bench.takeTranscript()
        #expect(transcript.hasPrefix("220 suspect\n310 hold\n  record hold"))
        #expect(transcript.split(separator: "\n").dropFirst(2).allSatisfy { $0 == "  record hold" })
    }

    @Test func tooFewSeveredGivesUpAndUndoes() {
        var bench = Self.steady()
        bench.away[Bench.c] = .silent
        bench.isolate(Bench.a, after: .seconds(1))
        bench.machine.observe(.requested(.resume), at: bench.now)
        bench.pass(.seconds(5))
        // One of two members says nothing: not even suspicion is proof.
        #expect(!bench.rows.contains(310))
        bench.away[Bench.c] = nil
        bench.outcomes["sever"] = .failed("57014")
        bench.pass(.seconds(20))
        #expect(bench.rows.contains(510))
        #expect(bench.machine.state == .needsHuman || bench.machine.state == .sever || bench.machine.state == .aborting)
        #expect(!bench.rows.contains(800))
    }

    @Test func aVetoOfTheFenceUndoesAll() {
        var policy = FailoverPolicy()
        policy.hasFenceHook = true
        var bench = Self.steady(policy: policy)
        bench.outcomes["fence_hook"] = .refused("not today")
        bench.kill(Bench.a)
        bench.pass(.seconds(2))
        #expect(bench.rows.contains(700))
        #expect(!bench.rows.contains(710))
        #expect(bench.machine.detached.isEmpty)
        #expect(bench.machine.incident?.refusal?.contains("not today") ?? false)
    }

    /// What the sentinel finds on its disk after a death at any moment leads to an end.
    @Test func aRestartAtEveryRecord() {
        var bench = Self.steady()
        bench.kill(Bench.a)
        bench.pass(.seconds(1))
        // The first is from before any commit was acknowledged by the rule that was found.
        for record in bench.records.dropFirst() {
            var restarted = Bench(resuming: record, unwatchedFor: .seconds(1))
            restarted.kill(Bench.a)
            if record.primary == Bench.b {
                restarted.change(Bench.b) {
                    $0.isInRecovery = false
                    $0.timeline = TimelineID(2)
                }
            }
            restarted.pass(.seconds(20))
            #expect(restarted.machine.state == .steady, "from \(record.state): \(restarted.rows)")
            #expect(restarted.machine.evidence.primary == Bench.b, "from \(record.state)")
        }
    }

    /// Somebody let the standbys follow the old primary again, and it acknowledged more to the other one.
    @Test func nobodyIsPromotedWhoHasFallenBehind() throws {
        var bench = Self.steady()
        bench.kill(Bench.a)
        bench.pass(.seconds(1))
        let record = try #require(bench.records.first { $0.state == .promote })
        var restarted = Bench(resuming: record, unwatchedFor: .seconds(1))
        restarted.change(Bench.c) { $0.received = LSN(2_000) }
        restarted.kill(Bench.a)
        restarted.pass(.seconds(20))
        #expect(restarted.machine.state == .promote)
        #expect(!restarted.takeTranscript().contains("promote b"))
    }

    /// It may have been away while the rule changed.
    @Test func aDeadPrimaryFoundAfterALongAbsenceIsForPeople() {
        var bench = Self.steady()
        bench.pass(.milliseconds(100))
        var restarted = Bench(resuming: bench.records.last, unwatchedFor: .seconds(600))
        restarted.kill(Bench.a)
        restarted.pass(.seconds(30))
        #expect(restarted.machine.state == .needsHuman)
        #expect(!restarted.rows.contains(310))
    }

    @Test func anOrderedSwitchoverWaitsForTheStandbyToHaveItAll() {
        var bench = Self.steady()
        bench.change(Bench.b) { $0.replayed = LSN(900) }
        bench.machine.observe(.requested(.switchover(to: Bench.b)), at: bench.now)
        bench.pass(.seconds(2))
        #expect(bench.machine.state == .hold)
        bench.change(Bench.b) { $0.replayed = LSN(1_000) }
        bench.pass(.seconds(1))
        #expect(bench.machine.state == .steady)
        #expect(bench.machine.evidence.primary == Bench.b)
    }

    @Test func aSwitchoverThatCannotBeDrainedIsUndone() {
        var bench = Self.steady()
        bench.outcomes["drain"] = .failed("1 transaction is open")
        bench.machine.observe(.requested(.switchover(to: nil)), at: bench.now)
        bench.pass(.seconds(15))
        #expect(bench.rows.contains(430))
        #expect(bench.machine.state == .steady)
        #expect(bench.machine.evidence.primary == Bench.a)
    }

    @Test func withoutARuleACrashIsWaitedFor() {
        var bench = Self.steady(names: "")
        bench.kill(Bench.a)
        bench.pass(.milliseconds(900))
        #expect(bench.machine.state == .suspect)
        bench.pass(.seconds(1))
        #expect(bench.machine.evidence.primary == Bench.b)
    }

    @Test func withoutARuleAndLeaveToLoseNothingIsDone() {
        var policy = FailoverPolicy()
        policy.mayLoseUnacknowledged = false
        var bench = Self.steady(policy: policy, names: "")
        bench.kill(Bench.a)
        bench.pass(.seconds(30))
        #expect(!bench.rows.contains(310))
        bench.machine.observe(.requested(.force), at: bench.now)
        bench.pass(.seconds(2))
        #expect(bench.machine.evidence.primary == Bench.b)
    }

    @Test func maintenanceMeansHandsOff() {
        var bench = Self.steady()
        bench.machine.observe(.requested(.pause), at: bench.now)
        bench.pass(.milliseconds(100))
        bench.kill(Bench.a)
        bench.pass(.seconds(60))
        #expect(bench.machine.state == .maintenance)
    }

    @Test func anAgentRejoinsTheOldPrimaryAfterACheckpoint() {
        var policy = FailoverPolicy()
        policy.hasAgent = true
        var bench = Self.steady(policy: policy)
        bench.kill(Bench.a)
        bench.pass(.seconds(2))
        let steps = bench.takeTranscript().split(separator: "\n").map { $0.drop { $0 == " " } }
        let checkpoint = steps.firstIndex(of: "checkpoint b")
        let rejoin = steps.firstIndex(of: "rejoin a")
        #expect(checkpoint != nil && rejoin != nil && checkpoint ?? 0 < rejoin ?? 0)
        #expect(bench.machine.parted.isEmpty)
    }

    @Test func aLateAnswerIsIgnored() {
        var bench = Self.steady()
        #expect(bench.machine.answered(999, .done, at: bench.now).isEmpty)
        #expect(bench.machine.recorded(999, at: bench.now).isEmpty)
    }

    @Test func readinessTellsWhoAndWhatIsMissing() {
        var bench = Self.steady()
        let ready = bench.machine.readiness(at: bench.now)
        #expect(ready.candidate == Bench.b)
        #expect(ready.isProven)
        #expect(ready.obstacle == nil)
        bench.away[Bench.c] = .silent
        bench.pass(.seconds(2))
        let poor = bench.machine.readiness(at: bench.now)
        #expect(!poor.isProven)
        #expect(poor.obstacle?.contains("2 of those in synchronous_standby_names") ?? false)
    }

    /// The primary's answer came first; the stranger's is waited for.
    @Test func aStrangerThatAnswersLateIsRefusedToo() {
        var bench = Bench()
        bench.change(Bench.c) { $0.systemIdentifier = "2" }
        bench.away[Bench.c] = .silent
        bench.pass(.milliseconds(400))
        #expect(bench.machine.state == .discover)
        bench.away[Bench.c] = nil
        bench.pass(.milliseconds(200))
        #expect(bench.rows.first == 100)
    }

    @Test func clustersOfDifferentOriginsAreRefused() {
        var bench = Bench()
        bench.change(Bench.c) { $0.systemIdentifier = "2" }
        bench.pass(.milliseconds(200))
        #expect(bench.rows.first == 100)
        #expect(bench.machine.state == .needsHuman)
    }

    /// Somebody promoted c and made it a standby again: its log left the primary's, maybe with what it alone had acknowledged.
    @Test func aStandbyOfALaterTimelineIsNoProof() {
        var bench = Self.steady()
        bench.change(Bench.c) { $0.timeline = TimelineID(2) }
        bench.kill(Bench.a)
        bench.pass(.seconds(20))
        #expect(bench.rows == [220, 340])
    }

    /// With ANY 2 one severed standby is enough; that one must be of this cluster, whatever its log's numbers say.
    @Test func aNodeOfAnotherClusterIsNeitherSeveredNorChosen() {
        var bench = Self.steady(names: "ANY 2 (b, c)")
        bench.change(Bench.c) {
            $0.systemIdentifier = "2"
            $0.received = LSN(9_000)
        }
        bench.kill(Bench.a)
        bench.pass(.seconds(3))
        let transcript = bench.takeTranscript()
        #expect(!transcript.contains("sever c"))
        #expect(transcript.contains("promote b"))
    }

    /// The same after a restart beside a dead primary: the journal tells whose cluster it is.
    @Test func aRestartKnowsItsCluster() throws {
        var bench = Self.steady(names: "ANY 2 (b, c)")
        bench.pass(.milliseconds(100))
        let record = try #require(bench.records.last)
        var restarted = Bench(names: "ANY 2 (b, c)", resuming: record, unwatchedFor: .seconds(1))
        restarted.away[Bench.b] = .silent
        restarted.change(Bench.c) { $0.systemIdentifier = "2" }
        restarted.kill(Bench.a)
        restarted.pass(.seconds(30))
        #expect(!restarted.takeTranscript().contains(" c"))
    }

    /// An order to lose commits does not lie in wait for the next hiccup.
    @Test func aForcedFailoverThatNothingCalledForIsForgotten() {
        var bench = Self.steady()
        bench.machine.observe(.requested(.force), at: bench.now)
        bench.pass(.seconds(5))
        bench.isolate(Bench.a, after: .milliseconds(10))
        bench.pass(.seconds(5))
        #expect(bench.machine.state == .suspect)
        #expect(!bench.rows.contains(320))
    }

    @Test func aPrimaryThatDiesInASwitchoverIsFailedOverFromAtOnce() {
        var bench = Self.steady()
        bench.outcomes["drain"] = .failed("1 transaction is open")
        bench.machine.observe(.requested(.switchover(to: nil)), at: bench.now)
        bench.pass(.seconds(1))
        #expect(bench.machine.state == .hold)
        bench.kill(Bench.a)
        bench.pass(.seconds(1))
        #expect(bench.rows.contains(425))
        #expect(bench.machine.evidence.primary == Bench.b)
    }

    /// An answer that never comes does not keep the old primary out for long.
    @Test func aCheckpointWithoutAnAnswerIsOrderedAgain() {
        var book = OrderBook()
        let start = Instant(nanoseconds: 0)
        let step = Step.checkpoint(Bench.b)
        #expect(book.order(step, at: start, FailoverTimings(), waits: Self.steady().machine.waits(for: step)) != nil)
        let later = start + .seconds(61)
        #expect(book.order(step, at: later, FailoverTimings(), waits: Self.steady().machine.waits(for: step)) != nil)
    }
}
