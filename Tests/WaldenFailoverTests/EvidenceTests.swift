import Testing
import WaldenCore

@testable import WaldenFailover

/// Risk: a primary that lives is taken for dead, or a dead one for alive.
@Suite struct EvidenceTests {
    private var evidence: Evidence
    private static let start = Instant(nanoseconds: 10_000_000_000)
    private static let a = NodeID(0), b = NodeID(1), c = NodeID(2)

    init() {
        evidence = Evidence(
            primary: Self.a, names: ["a": Self.a, "b": Self.b, "c": Self.c], timings: FailoverTimings(),
            rules: SynchronousRules(try? SynchronousRule(required: 1, of: [Self.b, Self.c])))
        evidence.reported(Self.a, Self.report(isInRecovery: false, names: "ANY 1 (b, c)"), at: Self.start)
        evidence.contacted(Self.a, .answered, at: Self.start)
        evidence.sessionAnswered(at: Self.start)
    }

    private static func at(_ milliseconds: Int) -> Instant { start + .milliseconds(milliseconds) }

    private static func report(
        isInRecovery: Bool = true, silent: Int? = nil, names: String = "", at milliseconds: Int = 0
    ) -> NodeReport {
        NodeReport(
            systemIdentifier: "1", timeline: TimelineID(1), isInRecovery: isInRecovery, received: LSN(100),
            replayed: LSN(100), receiver: silent.map { .init(isStreaming: true, silentFor: .milliseconds($0)) },
            hasUpstream: isInRecovery, synchronousStandbyNames: names, askedAt: at(milliseconds))
    }

    /// At the primary.
    private mutating func look(_ names: String, asked milliseconds: Int, end: UInt64 = 100, told: Int? = nil) {
        var report = Self.report(isInRecovery: false, names: names, at: milliseconds)
        report.received = LSN(end)
        evidence.reported(Self.a, report, at: Self.at(told ?? milliseconds))
    }

    /// At the standbys: how far each has received.
    private mutating func hold(b: UInt64, c: UInt64, asked milliseconds: Int) {
        for (node, received) in [(Self.b, b), (Self.c, c)] {
            var report = Self.report(at: milliseconds)
            report.received = LSN(received)
            evidence.reported(node, report, at: Self.at(milliseconds))
        }
    }

    private mutating func standbys(b: Int?, c: Int?, at milliseconds: Int) {
        evidence.reported(Self.b, Self.report(silent: b, at: milliseconds), at: Self.at(milliseconds))
        evidence.reported(Self.c, Self.report(silent: c, at: milliseconds), at: Self.at(milliseconds))
    }

    @Test mutating func whoAnswersIsHealthy() {
        #expect(evidence.finding(at: Self.at(700)) == .healthy)
    }

    @Test mutating func refusedAndNobodyReceives() {
        evidence.sessionBroke()
        evidence.contacted(Self.a, .refused, at: Self.at(100))
        standbys(b: nil, c: nil, at: 100)
        #expect(evidence.finding(at: Self.at(100)) == .crashed)
    }

    /// What the standbys said a while ago says nothing of now.
    @Test mutating func refusedAndTheStandbysWordIsOld() {
        evidence.sessionBroke()
        standbys(b: nil, c: nil, at: 100)
        evidence.contacted(Self.a, .refused, at: Self.at(1_000))
        #expect(evidence.finding(at: Self.at(1_050)) == .crashed)
        #expect(evidence.finding(at: Self.at(1_200)) == .doubtful)
    }

    /// The word of one standby is not that of the quorum.
    @Test mutating func refusedAndOneStandbyDoesNotAnswer() {
        evidence.sessionBroke()
        evidence.contacted(Self.a, .refused, at: Self.at(100))
        evidence.reported(Self.b, Self.report(silent: nil, at: 100), at: Self.at(100))
        #expect(evidence.finding(at: Self.at(100)) == .doubtful)
    }

    @Test mutating func refusedWhileAStandbyStillReceives() {
        evidence.sessionBroke()
        evidence.contacted(Self.a, .refused, at: Self.at(100))
        standbys(b: nil, c: 10, at: 100)
        #expect(evidence.finding(at: Self.at(100)) == .doubtful)
    }

    @Test mutating func silentHereAndThere() {
        evidence.contacted(Self.a, .silent, at: Self.at(1_000))
        standbys(b: 900, c: 900, at: 1_000)
        #expect(evidence.finding(at: Self.at(1_000)) == .unreachable)
    }

    /// A standby that hears of it may acknowledge its commits: the fault is on this side.
    @Test mutating func silentHereOnly() {
        evidence.contacted(Self.a, .silent, at: Self.at(1_000))
        standbys(b: 900, c: 100, at: 1_000)
        #expect(evidence.finding(at: Self.at(1_000)) == .sentinelBlind)
    }

    @Test mutating func nobodyAnswersAtAll() {
        #expect(evidence.finding(at: Self.at(5_000)) == .sentinelBlind)
    }

    @Test mutating func full() {
        evidence.sessionBroke()
        evidence.contacted(Self.a, .full(replication: true), at: Self.at(900))
        standbys(b: nil, c: nil, at: 900)
        #expect(evidence.finding(at: Self.at(900)) == .overloaded)
    }

    @Test mutating func newConnectionsHang() {
        evidence.contacted(Self.a, .silent, at: Self.at(500))
        #expect(evidence.finding(at: Self.at(500)) == .hungAccept)
    }

    @Test mutating func localCommitsStall() {
        evidence.heartbeatBegun(.local, at: Self.at(0))
        evidence.sessionAnswered(at: Self.at(10_500))
        #expect(evidence.finding(at: Self.at(10_001)) == .writeDead)
    }

    @Test mutating func onlyTheQuorumStalls() {
        evidence.heartbeatBegun(.quorum, at: Self.at(0))
        evidence.sessionAnswered(at: Self.at(2_500))
        #expect(evidence.finding(at: Self.at(2_500)) == .syncStalled)
        evidence.heartbeatAcknowledged(.quorum, end: LSN(200), at: Self.at(2_600))
        #expect(evidence.finding(at: Self.at(2_600)) == .healthy)
    }

    /// Without a rule all standbys must say so.
    @Test mutating func withoutARuleEveryStandbyIsAsked() {
        evidence.reported(Self.a, Self.report(isInRecovery: false, names: "", at: 50), at: Self.at(50))
        evidence.sessionBroke()
        evidence.contacted(Self.a, .refused, at: Self.at(100))
        evidence.reported(Self.b, Self.report(silent: nil, at: 100), at: Self.at(100))
        #expect(evidence.finding(at: Self.at(100)) == .doubtful)
        standbys(b: nil, c: nil, at: 110)
        #expect(evidence.finding(at: Self.at(110)) == .crashed)
    }

    // MARK: A rule that has changed

    /// Whoever holds the log up to there holds all that the old rule acknowledged.
    @Test mutating func whoIsSeenToHoldWhatWasBeforeProvesTheNewRule() {
        look("ANY 2 (b, c)", asked: 100)
        look("ANY 2 (b, c)", asked: 110, end: 500)
        hold(b: 499, c: 500, asked: 120)
        #expect(evidence.rules.outgoing.count == 1)
        hold(b: 500, c: 500, asked: 130)
        #expect(evidence.rules.outgoing.isEmpty)
    }

    /// Asked before the new rule was heard of: the old one may have acknowledged more by then.
    @Test mutating func anOlderEndOfTheLogProvesNothing() {
        look("ANY 2 (b, c)", asked: 100, told: 150)
        look("ANY 2 (b, c)", asked: 140, end: 500, told: 151)
        hold(b: 500, c: 500, asked: 160)
        #expect(evidence.rules.outgoing.count == 1)
    }

    /// It waits by the rule that is known, and somebody sets a weaker one, by which it returns before that is heard of.
    @Test mutating func anAcknowledgementProvesNothing() {
        look("ANY 2 (b, c)", asked: 100)
        look("ANY 2 (b, c)", asked: 110, end: 500)
        evidence.heartbeatBegun(.quorum, at: Self.at(120))
        evidence.heartbeatAcknowledged(.quorum, end: LSN(500), at: Self.at(130))
        hold(b: 500, c: 400, asked: 140)
        look("ANY 2 (b, c)", asked: 150, end: 500)
        #expect(evidence.rules.outgoing.count == 1)
    }

    @Test(arguments: [("2", 1), ("1", 2)] as [(String, UInt32)])
    mutating func aLogThatIsNotThePrimarysProvesNothing(system: String, timeline: UInt32) {
        look("ANY 2 (b, c)", asked: 100)
        look("ANY 2 (b, c)", asked: 110, end: 500)
        hold(b: 500, c: 400, asked: 120)
        var stray = Self.report(at: 130)
        (stray.received, stray.systemIdentifier, stray.timeline) = (LSN(900), system, TimelineID(timeline))
        evidence.reported(Self.c, stray, at: Self.at(130))
        #expect(evidence.rules.outgoing.count == 1)
    }

    /// Who held the log up to a place of before does not hold what was acknowledged since.
    @Test mutating func eachChangeIsProvenAnew() {
        look("ANY 2 (b, c)", asked: 100)
        look("ANY 2 (b, c)", asked: 110, end: 500)
        hold(b: 500, c: 400, asked: 120)
        look("ANY 1 (c)", asked: 130, end: 600)
        look("ANY 2 (b, c)", asked: 140, end: 700)
        look("ANY 2 (b, c)", asked: 150, end: 700)
        hold(b: 500, c: 700, asked: 160)
        #expect(evidence.rules.outgoing.count == 2)
        hold(b: 700, c: 700, asked: 170)
        #expect(evidence.rules.outgoing.isEmpty)
    }

    /// What was acknowledged before anybody looked was acknowledged by who knows what rule.
    @Test mutating func theFirstRuleProvesNothingAtFirst() {
        evidence = Evidence(
            primary: Self.a, names: ["a": Self.a, "b": Self.b, "c": Self.c], timings: FailoverTimings())
        look("ANY 1 (b, c)", asked: 10)
        hold(b: 100, c: 100, asked: 20)
        #expect(!evidence.rules.isProven(bySevered: [Self.b, Self.c]))
        look("ANY 1 (b, c)", asked: 30)
        hold(b: 100, c: 0, asked: 40)
        #expect(evidence.rules.isProven(bySevered: [Self.b, Self.c]))
    }

    @Test mutating func aRuleThatProvesNothingIsTold() {
        evidence.reported(Self.a, Self.report(isInRecovery: false, names: "*", at: 100), at: Self.at(100))
        #expect(evidence.ruleProblem == .namesEverybody)
        #expect(evidence.rules.current == nil)
    }
}
