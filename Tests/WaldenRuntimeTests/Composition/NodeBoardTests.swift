import Synchronization
import Testing
import WaldenAdmin
import WaldenCore
import WaldenDependency
import WaldenPostgres
import WaldenProxy
import WaldenRouting
import WaldenSession

@testable import WaldenRuntime

/// Samples of monitors on their way to routed reads.
@Suite struct NodeBoardTests {
    /// What was called, from whatever thread.
    private final class Calls: Sendable {
        private let list = Mutex<[NodeID]>([])
        func note(_ node: NodeID) { list.withLock { $0.append(node) } }
        func take() -> [NodeID] {
            list.withLock { list in
                defer { list = [] }
                return list
            }
        }
    }

    private let routes = RouteTable(isOn: true, weights: [0, 1, 1])
    private let board: NodeBoard
    private let woken = Calls()
    private let replica = NodeID(1)
    /// Reports are made by the clock.
    private let start = MonotonicClock.now()

    init() {
        board = NodeBoard(names: ["primary", "replica1", "replica2"], routes: routes)
        let woken = woken
        routes.attach { woken.note($0) }
    }

    private func at(_ milliseconds: Int) -> Instant { start + .milliseconds(milliseconds) }

    private func sample(
        _ node: Int, _ position: UInt64, at milliseconds: Int, isInRecovery: Bool? = nil, system: String = "7",
        snapshot: String? = nil, shows: ReplayedTransactions? = nil, asked question: String? = nil
    ) -> NodeSample {
        let isStandby = isInRecovery ?? (node > 0)
        let position = LSN(position)
        let facts = NodeFacts(
            system: SystemIdentity(systemIdentifier: system, timeline: TimelineID(1), serverVersion: 150_000),
            isInRecovery: isStandby, insertLSN: isStandby ? nil : position, receivedLSN: isStandby ? position : nil,
            flushedLSN: position, replayedLSN: isStandby ? position : nil, replayDelay: nil,
            snapshot: snapshot.flatMap(Snapshot.init), transactions: shows, isReplayPaused: false,
            receiverStatus: isStandby ? "streaming" : nil, startedAt: 1, roundTrip: .milliseconds(1))
        return NodeSample(
            node: NodeID(node), askedAt: at(milliseconds), answeredAt: at(milliseconds + 1), answer: .facts(facts),
            question: question.flatMap(Snapshot.init))
    }

    private func lost(_ node: Int, at milliseconds: Int) -> NodeSample {
        NodeSample(
            node: NodeID(node), askedAt: at(milliseconds), answeredAt: at(milliseconds),
            answer: .unreachable(PostgresError(.unreachable, "refused")))
    }

    private func route(needs: Int, at now: Int, patience: Duration = .zero) -> RouteDecision {
        routes.route(RouteRequest(needs: at(needs), now: at(now), patience: patience))
    }

    private var obstacles: [String?] { board.reports.map(\.obstacle) }

    // MARK: Samples

    @Test func aReplicaServesWhatItsSamplesCover() {
        board.sampled(sample(0, 100, at: 10))
        board.sampled(sample(1, 100, at: 12))
        #expect(route(needs: 10, at: 20) == .replica(replica, .balanced))
        #expect(route(needs: 11, at: 20) == .primary(.notCovered))
        // The primary has written nothing since.
        board.sampled(sample(0, 100, at: 30))
        #expect(route(needs: 30, at: 40) == .replica(replica, .balanced))
    }

    @Test func aProbeIsALookAtThePrimaryToo() throws {
        board.sampled(sample(1, 100, at: 12))
        let snapshot = try #require(Snapshot("10:10:"))
        let system = SystemIdentity(systemIdentifier: "7", timeline: TimelineID(1), serverVersion: 150_000)
        board.primaryProbed(Probe(startedAt: at(15), snapshot: snapshot, insertLSN: LSN(100)), of: system)
        #expect(route(needs: 15, at: 20) == .replica(replica, .balanced))
    }

    @Test func aLostReplicaServesNothingUntilItIsSeenAgain() {
        board.sampled(sample(0, 100, at: 10))
        board.sampled(sample(1, 100, at: 12))
        board.sampled(lost(1, at: 20))
        #expect(route(needs: 10, at: 21) == .primary(.unusable))
        #expect(obstacles == [nil, "unreachable", "unknown"])
        board.sampled(sample(1, 100, at: 30))
        #expect(route(needs: 10, at: 31) == .replica(replica, .balanced))
    }

    @Test func aSilentReplicaServesNothing() {
        board.sampled(sample(0, 100, at: 10))
        board.sampled(sample(1, 100, at: 10))
        // Until now it was looked at each second; from the first read on, ten times as often.
        #expect(route(needs: 10, at: 900) == .replica(replica, .balanced))
        #expect(route(needs: 10, at: 1_100) == .replica(replica, .balanced))
        #expect(route(needs: 10, at: 1_101) == .primary(.unusable))
        #expect(routes.figures(at(1_101)).nodes.map(\.obstacle) == [nil, .silent, .unknown])
        board.sampled(sample(1, 100, at: 1_102))
        #expect(route(needs: 10, at: 1_302) == .replica(replica, .balanced))
        #expect(route(needs: 10, at: 1_303) == .primary(.unusable))
    }

    @Test func othersThanStandbysAreLeftOut() {
        board.sampled(sample(0, 100, at: 10))
        board.sampled(sample(1, 100, at: 12, isInRecovery: false))
        board.sampled(sample(2, 100, at: 12, system: "8"))
        #expect(obstacles == [nil, "not_a_standby", "other_system"])
        #expect(route(needs: 0, at: 20) == .primary(.unusable))
        // A standby under the primary's name says nothing of where the log ends.
        board.sampled(sample(0, 500, at: 30, isInRecovery: true))
        #expect(board.primaryProblem == "the node named as primary is a standby")
    }

    @Test func reportsTellLagAndItsPeak() throws {
        board.sampled(sample(0, 100, at: -3_000))
        board.sampled(sample(0, 200, at: -1_000))
        board.sampled(sample(1, 150, at: -900))
        var report = board.reports[1]
        #expect(report.lagBytes == 50)
        #expect(report.lagSeconds == 2.1)
        #expect(report.receiver == "streaming")
        board.sampled(sample(1, 200, at: -800))
        report = board.reports[1]
        #expect(report.lagBytes == 0)
        #expect(report.peakLagBytes == 50)
        #expect(report.peakLagSeconds == 2.1)
        #expect(try #require(report.coveredSeconds) >= 1)
        #expect(board.lagHistories.map(\.node) == ["replica1", "replica2"])
        #expect(board.lagHistories[0].points.map(\.lagBytes) == [50])
    }

    // MARK: Demand

    @Test func aRefusedReadHasThePrimaryAskedAndThenTheReplicas() {
        board.sampled(sample(0, 100, at: 10))
        board.sampled(sample(1, 100, at: 12))
        _ = route(needs: 0, at: 20)
        #expect(woken.take() == [0, 1, 2].map(NodeID.init), "the first read after a pause")
        _ = route(needs: 0, at: 21)
        #expect(woken.take() == [])
        #expect(route(needs: 25, at: 25) == .primary(.notCovered))
        #expect(woken.take() == [.configuredPrimary])
        #expect(routes.nextLook(at: .configuredPrimary, after: at(10), now: at(25)) == at(11))
        _ = route(needs: 25, at: 26)
        #expect(woken.take() == [], "it is awake already")
        board.sampled(sample(0, 110, at: 27))
        #expect(woken.take() == [replica, NodeID(2)])
        #expect(routes.nextLook(at: replica, after: at(12), now: at(28)) == at(13))
        board.sampled(sample(1, 110, at: 28))
        #expect(route(needs: 27, at: 30) == .replica(replica, .balanced))
    }

    /// A look now would not help.
    @Test func aReadThatIsFarFromCoveredWakesNobody() {
        board.sampled(sample(0, 50, at: -1_000))
        board.sampled(sample(0, 100, at: 10))
        board.sampled(sample(1, 60, at: 12))
        _ = route(needs: -2_000, at: 20)
        _ = woken.take()
        #expect(route(needs: 20, at: 21) == .primary(.notCovered))
        #expect(woken.take() == [])
    }

    // MARK: Waiting

    @Test func whoWaitsIsWokenWhenItIsCovered() {
        board.sampled(sample(0, 100, at: 10))
        board.sampled(sample(1, 100, at: 12))
        #expect(
            route(needs: 20, at: 20, patience: .milliseconds(5))
                == .wait(for: CoverageDemand(at(20)), deadline: at(25)))
        let done = Calls()
        let id = routes.wait(for: .coverage(CoverageDemand(at(20))), now: at(20)) { done.note(NodeID(7)) }
        #expect(id != nil)
        #expect(board.isReplayAwaited)
        #expect(routes.figures(at(20)).waiting == 1)
        board.sampled(sample(0, 110, at: 21))
        board.sampled(sample(1, 109, at: 22))
        #expect(done.take() == [])
        #expect(routes.nextLook(at: replica, after: at(22), now: at(22)) == at(23), "again and again")
        board.sampled(sample(1, 110, at: 23))
        #expect(done.take() == [NodeID(7)])
        #expect(!board.isReplayAwaited)
        #expect(route(needs: 20, at: 24) == .replica(replica, .balanced))
        #expect(id.map { routes.stopWaiting($0) } == false)
    }

    @Test func whatHasHappenedIsNotWaitedFor() {
        board.sampled(sample(0, 100, at: 10))
        board.sampled(sample(1, 100, at: 12))
        #expect(routes.wait(for: .coverage(CoverageDemand(at(10))), now: at(20)) {} == nil)
        #expect(routes.wait(for: .look(replica, since: at(12)), now: at(20)) {} == nil)
    }

    @Test func whoStopsWaitingIsNotWoken() {
        board.sampled(sample(0, 100, at: 10))
        let done = Calls()
        let id = routes.wait(for: .coverage(CoverageDemand(at(20))), now: at(20)) { done.note(replica) }
        #expect(id.map { routes.stopWaiting($0) } == true)
        #expect(!board.isReplayAwaited)
        board.sampled(sample(1, 100, at: 30))
        board.sampled(sample(0, 100, at: 31))
        #expect(done.take() == [])
    }

    /// A server that was restarted between two looks is not as far as the look before said.
    @Test func aNewConnectionIsVouchedForByALaterLook() {
        board.sampled(sample(0, 100, at: 10))
        board.sampled(sample(1, 100, at: 12))
        #expect(routes.isVouchedFor(replica, connectedAt: at(12)))
        #expect(!routes.isVouchedFor(replica, connectedAt: at(13)))
        #expect(!routes.isVouchedFor(NodeID(2), connectedAt: at(1)))
        let done = Calls()
        _ = routes.wait(for: .look(replica, since: at(13)), now: at(13)) { done.note(replica) }
        #expect(woken.take() == [replica])
        board.sampled(sample(0, 100, at: 14))
        #expect(done.take() == [])
        board.sampled(sample(1, 100, at: 15))
        #expect(done.take() == [replica])
        #expect(routes.isVouchedFor(replica, connectedAt: at(13)))
    }

    // MARK: What the primary shows

    private func settle(read milliseconds: Int, at now: Int) -> RouteDecision {
        var request = RouteRequest(needs: at(now), now: at(now), preference: .primary)
        request.lastRead = .init(node: replica, endedAt: at(milliseconds))
        request.settling = .seconds(1)
        return routes.route(request)
    }

    /// 97 runs at the primary and is committed by what the replica shows.
    @Test func whoHasReadOnAReplicaWaitsForThePrimaryToShowIt() throws {
        board.sampled(sample(0, 100, at: 10, snapshot: "97:100:97"))
        #expect(board.question(to: replica) == Snapshot("97:100:97"))
        #expect(board.question(to: .configuredPrimary) == nil)
        let committed = ReplayedTransactions(xmax: TransactionID(100), committed: [TransactionID(97)])
        board.sampled(sample(1, 100, at: 12, shows: committed, asked: "97:100:97"))
        let last = RouteRequest.LastRead(node: replica, endedAt: at(12))
        #expect(settle(read: 12, at: 20) == .settle(last, deadline: at(1_020)))
        _ = woken.take()
        let done = Calls()
        #expect(routes.wait(for: .settled(last), now: at(20)) { done.note(replica) } != nil)
        #expect(woken.take() == [.configuredPrimary, replica])
        #expect(routes.nextLook(at: .configuredPrimary, after: at(20), now: at(20)) == at(21))
        board.sampled(sample(0, 101, at: 21, snapshot: "97:101:97"))
        #expect(done.take() == [])
        board.sampled(sample(0, 101, at: 22, snapshot: "101:101:"))
        #expect(done.take() == [replica])
        #expect(settle(read: 12, at: 23) == .primary(.preferred))
        #expect(settle(read: 13, at: 23) != .primary(.preferred), "what it has shown since is not known")
        #expect(routes.figures(at(23)).settled == 1)
        #expect(routes.figures(at(23)).unsettled == 0)
    }

    /// What ends the wait because nobody will find out.
    @Test(arguments: ["lost", "held", "replaced"]) func nobodyWaitsForWhatCannotBeFoundOut(_ end: String) {
        board.sampled(sample(0, 100, at: 10, snapshot: "97:100:97"))
        board.sampled(sample(1, 100, at: 12, shows: ReplayedTransactions(xmax: TransactionID(100))))
        let last = RouteRequest.LastRead(node: replica, endedAt: at(12))
        let done = Calls()
        #expect(routes.wait(for: .settled(last), now: at(20)) { done.note(replica) } != nil)
        switch end {
        case "lost": board.sampled(lost(1, at: 21))
        case "held": routes.hold()
        default: _ = routes.serve(NodeID(2), term: 1, knownSince: board.primaryChanged(to: NodeID(2)))
        }
        #expect(done.take() == [replica])
        #expect(settle(read: 12, at: 22) == .primary(.preferred))
        #expect(routes.figures(at(22)).unsettled == 1)
    }

    // MARK: Figures

    @Test func decisionsAreCounted() {
        board.sampled(sample(0, 100, at: 10))
        board.sampled(sample(1, 100, at: 12))
        _ = route(needs: 10, at: 20)
        #expect(routes.figures(at(20)).replica == [:], "it may still end up elsewhere")
        routes.sent(to: replica, .balanced)
        routes.sent(to: .configuredPrimary, .notCovered)
        _ = routes.wait(for: .coverage(CoverageDemand(at(15))), now: at(20)) {}
        routes.stayed(.unproven(.function))
        routes.stayed(.bound)
        routes.began(replica)
        let figures = routes.figures(at(20))
        #expect(figures.replica == [.balanced: 1])
        #expect(figures.primary == [.notCovered: 1, .bound: 1])
        #expect(figures.unproven == [.function: 1])
        #expect(figures.waited == 1)
        #expect(figures.nodes.map(\.reads) == [3, 1, 0])
        #expect(figures.nodes.map(\.outstanding) == [0, 1, 0])
        routes.ended(replica)
        #expect(routes.figures(at(20)).nodes.map(\.outstanding) == [0, 0, 0])
    }
}
