import Testing
import WaldenCore
import WaldenRouting

@Suite struct RouterTests {
    private static func at(_ seconds: Int) -> Instant { .distantPast + .seconds(seconds) }
    private func at(_ seconds: Int) -> Instant { Self.at(seconds) }
    private static let now = at(100)

    /// Two replicas that answered a moment ago; nil: unusable.
    private func router(
        covered: [Int?], weights: [Int] = [0, 1, 1], lags: [Duration] = [.zero, .zero], isOn: Bool = true,
        paused: Set<Int> = [], availableSince: Int = 1, silent: Set<Int> = []
    ) -> Router {
        var router = Router(
            isOn: isOn, nodes: weights.enumerated().map { RoutableNode(id: NodeID($0.offset), weight: $0.element) })
        let standbys = covered.enumerated().map { index, second in
            StandbyStanding(
                node: NodeID(index + 1), standing: second.map { .covered(at($0)) } ?? .unusable(.unreachable),
                availableSince: at(availableSince), lag: lags[index], isReplayPaused: paused.contains(index + 1))
        }
        router.standingsChanged(Standings(version: 1, standbys: standbys))
        for node in 0..<weights.count where !silent.contains(node) { router.answered(NodeID(node), until: at(200)) }
        return router
    }

    private func request(
        needs: Int = 0, _ preference: RoutePreference = .auto, fallback: RouteRequest.Fallback = .primary,
        lastRead: (node: Int, at: Int)? = nil, maxLag: Duration? = nil, patience: Duration = .zero
    ) -> RouteRequest {
        RouteRequest(
            needs: at(needs), now: Self.now, preference: preference, fallback: fallback,
            lastRead: lastRead.map { .init(node: NodeID($0.node), endedAt: at($0.at)) }, maxLag: maxLag,
            patience: patience)
    }

    private func decide(_ router: Router, _ request: RouteRequest) -> RouteDecision {
        var router = router
        return router.decide(request)
    }

    // MARK: The rule

    @Test func aReplicaServesWhatItCovers() {
        let router = router(covered: [50, nil])
        #expect(decide(router, request(needs: 50)) == .replica(NodeID(1), .balanced))
        #expect(decide(router, request(needs: 51)) == .primary(.notCovered))
        #expect(decide(router, request(needs: 0)) == .replica(NodeID(1), .balanced))
    }

    @Test func theOneThatCoversIsTakenHoweverBusy() {
        var router = router(covered: [50, 60])
        for _ in 0..<100 { router.began(NodeID(2)) }
        #expect(decide(router, request(needs: 55)) == .replica(NodeID(2), .balanced))
    }

    @Test(
        arguments: [
            (.seconds(50), .replica(NodeID(1), .balanced)), (.seconds(49), .primary(.maxLag)),
            (nil, .replica(NodeID(1), .balanced)),
        ] as [(Duration?, RouteDecision)])
    func theStateShownIsNoOlderThanTheBound(maxLag: Duration?, decision: RouteDecision) {
        #expect(decide(router(covered: [50, nil]), request(needs: 10, maxLag: maxLag)) == decision)
    }

    @Test func readsGoOnWhereTheyWere() {
        let router = router(covered: [50, 40])
        // The last read on replica 2 ended at 90: it goes on there, and nowhere else.
        #expect(decide(router, request(needs: 30, lastRead: (2, 90))) == .replica(NodeID(2), .sticky))
        #expect(decide(router, request(needs: 45, lastRead: (2, 90))) == .primary(.notCovered))
        #expect(decide(router, request(needs: 30, lastRead: (1, 45))) == .replica(NodeID(1), .balanced))
        #expect(decide(router, request(needs: 30, lastRead: (9, 45))) == .replica(NodeID(1), .balanced))
    }

    /// A standby that crashed opens before it is as far again as it was.
    @Test func notWhereAServerWasRestartedMeanwhile() {
        let router = router(covered: [50, 40], availableSince: 91)
        #expect(decide(router, request(needs: 30, lastRead: (2, 90))) == .primary(.notCovered))
    }

    // MARK: Reasons

    @Test func whyThePrimary() {
        #expect(decide(router(covered: [50, 50], isOn: false), request()) == .primary(.off))
        #expect(decide(router(covered: [50, 50]), request(.primary)) == .primary(.preferred))
        #expect(decide(router(covered: [], weights: [0]), request()) == .primary(.noReplica))
        #expect(decide(router(covered: [50, 50], weights: [0, 0, 0]), request()) == .primary(.noReplica))
        #expect(decide(router(covered: [nil, nil]), request()) == .primary(.unusable))
        #expect(decide(router(covered: [50, 50], silent: [1, 2]), request()) == .primary(.unusable))
        #expect(decide(router(covered: [50, 50]), request(needs: 60, .replica)) == .primary(.notCovered))
    }

    @Test func aNodeThatDoesNotAnswerIsLeftOut() {
        var router = router(covered: [50, 50])
        router.answersExpected(by: at(99))
        #expect(decide(router, request()) == .primary(.unusable))
        router.answered(NodeID(1), until: at(101))
        #expect(decide(router, request()) == .replica(NodeID(1), .balanced))
        router.lost(NodeID(1))
        #expect(decide(router, request()) == .primary(.unusable))
    }

    @Test func olderStandingsAreIgnored() {
        var router = router(covered: [50, nil])
        let stale = StandbyStanding(node: NodeID(1), standing: .covered(at(90)), availableSince: at(1))
        router.standingsChanged(Standings(version: 1, standbys: [stale]))
        #expect(decide(router, request(needs: 60)) == .primary(.notCovered))
        router.standingsChanged(Standings(version: 2, standbys: [stale]))
        #expect(decide(router, request(needs: 60)) == .replica(NodeID(1), .balanced))
    }

    /// The read-only address never leads to the primary, whatever is set.
    @Test func theReadOnlyAddress() {
        let only = { self.request(needs: $0, $1, fallback: .none) }
        #expect(decide(router(covered: [50, nil]), only(50, .auto)) == .replica(NodeID(1), .balanced))
        #expect(decide(router(covered: [50, nil]), only(50, .primary)) == .replica(NodeID(1), .balanced))
        #expect(decide(router(covered: [50, nil], isOn: false), only(50, .auto)) == .replica(NodeID(1), .balanced))
        #expect(decide(router(covered: [50, nil]), only(51, .auto)) == .refused(.notCovered))
        #expect(decide(router(covered: [nil, nil]), only(0, .auto)) == .refused(.unusable))
        #expect(decide(router(covered: [nil], weights: [9, 1]), only(0, .auto)) == .refused(.unusable))
    }

    // MARK: Load

    /// Which nodes take how many of a number of requests that are never answered.
    private func shares(_ router: Router, _ count: Int) -> [Int] {
        var router = router
        var shares = [0, 0, 0]
        for _ in 0..<count {
            switch router.decide(request()) {
            case .replica(let node, _):
                shares[node.index] += 1
                router.began(node)
            case .primary:
                shares[0] += 1
                router.began(.configuredPrimary)
            default: Issue.record("neither")
            }
        }
        return shares
    }

    @Test func workIsSharedByWeight() {
        #expect(shares(router(covered: [50, 50]), 30) == [0, 15, 15])
        #expect(shares(router(covered: [50, 50], weights: [0, 1, 2]), 30) == [0, 10, 20])
        #expect(shares(router(covered: [50, 50], weights: [0, 1, 0]), 30) == [0, 30, 0])
        #expect(shares(router(covered: [50, 50], weights: [1, 1, 1]), 30) == [10, 10, 10])
        #expect(shares(router(covered: [50, nil], weights: [1, 2, 2]), 30) == [10, 20, 0])
    }

    @Test func equalsTakeTurns() {
        var router = router(covered: [50, 50])
        var shares = [0, 0, 0]
        for _ in 0..<30 {
            guard case .replica(let node, _) = router.decide(request()) else { continue }
            shares[node.index] += 1
        }
        #expect(shares == [0, 15, 15])
    }

    @Test func moreEndsThanBeginningsDoNoHarm() {
        var router = router(covered: [50, 50])
        router.ended(NodeID(1))
        router.ended(NodeID(9))
        #expect(router.nodes.map(\.outstanding) == [0, 0, 0])
    }

    // MARK: Positions and exclusions

    private func positioned(_ replayed: [UInt64?]) -> Router {
        var router = Router(
            isOn: true, nodes: [0, 1, 1].enumerated().map { RoutableNode(id: NodeID($0.offset), weight: $0.element) })
        let standbys = replayed.enumerated().map { index, position in
            StandbyStanding(
                node: NodeID(index + 1), standing: .covered(at(50)), availableSince: at(1),
                replayed: position.map { LSN($0) })
        }
        router.standingsChanged(Standings(version: 1, standbys: standbys))
        for node in 0..<3 { router.answered(NodeID(node), until: at(200)) }
        return router
    }

    /// Whatever moments they cover: the state that the cache has shown is at a position.
    @Test func aHitIsShownByWhoHasReplayedItsPosition() {
        var request = request(needs: 40)
        request.shown = LSN(100)
        for _ in 0..<4 {
            #expect(decide(positioned([99, 100]), request) == .replica(NodeID(2), .balanced))
        }
        #expect(decide(positioned([99, nil]), request) == .primary(.notCovered))
        request.patience = .milliseconds(5)
        let demand = CoverageDemand(at(40), through: LSN(100))
        #expect(
            decide(positioned([99, 99]), request) == .wait(for: demand, deadline: Self.now + .milliseconds(5)))
        #expect(!positioned([99, 99]).someReplicaMeets(demand, Self.now))
        #expect(positioned([99, 100]).someReplicaMeets(demand, Self.now))
    }

    @Test func aReplicaThatFailedIsAvoided() {
        var request = request(needs: 40)
        request.avoided = NodeID(1)
        for _ in 0..<4 {
            #expect(decide(router(covered: [50, 50]), request) == .replica(NodeID(2), .balanced))
        }
        #expect(decide(router(covered: [50, 30]), request) == .primary(.notCovered))
        #expect(decide(router(covered: [50, nil]), request) == .primary(.unusable))
        request.patience = .milliseconds(5)
        #expect(decide(router(covered: [50, nil]), request) == .primary(.unusable), "nor is it waited for")
    }

    @Test func aBoundSessionHasOneNode() {
        var request = request(needs: 60)
        request.only = NodeID(1)
        request.fallback = .none
        #expect(decide(router(covered: [60, 70]), request) == .replica(NodeID(1), .balanced))
        #expect(decide(router(covered: [50, 70]), request) == .refused(.notCovered))
    }

    @Test func whoWaitedInVainIsOverdue() {
        var request = request(needs: 60)
        request.hasWaited = true
        #expect(decide(router(covered: [50, 50]), request) == .primary(.overdue))
    }

    // MARK: Waiting

    @Test func aFollowerIsWorthAWait() {
        let patience = Duration.milliseconds(5)
        let wait = RouteDecision.wait(for: CoverageDemand(at(60)), deadline: Self.now + patience)
        #expect(decide(router(covered: [50, nil]), request(needs: 60, patience: patience)) == wait)
        #expect(decide(router(covered: [50, nil]), request(needs: 60)) == .primary(.notCovered))
        #expect(
            decide(
                router(covered: [50, nil], lags: [.milliseconds(6), .zero]), request(needs: 60, patience: patience))
                == .primary(.notCovered))
        #expect(
            decide(router(covered: [50, nil], paused: [1]), request(needs: 60, patience: patience))
                == .primary(.notCovered))
        #expect(decide(router(covered: [nil, nil]), request(needs: 60, patience: patience)) == .primary(.unusable))
        #expect(
            decide(router(covered: [50, nil], weights: [1, 1, 1]), request(needs: 60, patience: patience))
                == .primary(.balanced), "the primary takes its share of reads anyway")
    }

    /// The nodes demand different moments of themselves: the one of the last read no more than the session's needs.
    @Test func theEarliestDemandIsWaitedFor() {
        let decision = decide(
            router(covered: [50, 50]), request(needs: 60, lastRead: (1, 70), patience: .milliseconds(5)))
        #expect(decision == .wait(for: CoverageDemand(at(60)), deadline: Self.now + .milliseconds(5)))
    }

    @Test func whoMayHaveCaughtUp() {
        #expect(router(covered: [50, nil]).someReplicaFollows(within: .milliseconds(100), Self.now))
        #expect(
            !router(covered: [50, nil], lags: [.seconds(1), .zero])
                .someReplicaFollows(within: .milliseconds(100), Self.now))
        #expect(!router(covered: [50, 50], weights: [0, 0, 0]).someReplicaMeets(CoverageDemand(at(1)), Self.now))
        #expect(router(covered: [50, nil]).someReplicaMeets(CoverageDemand(at(50)), Self.now))
        #expect(!router(covered: [50, nil]).someReplicaMeets(CoverageDemand(at(51)), Self.now))
    }

    // MARK: What the primary shows

    /// Replica 1 covers 50; what it had shown by `settled` the primary shows.
    private func settled(_ settled: Int, standing: NodeStanding? = nil, availableSince: Int = 1) -> Router {
        var router = router(covered: [50, nil], weights: [1, 1, 1])
        let standby = StandbyStanding(
            node: NodeID(1), standing: standing ?? .covered(at(50)), availableSince: at(availableSince),
            settled: at(settled))
        router.standingsChanged(Standings(version: 2, standbys: [standby]))
        return router
    }

    /// The session has read on replica 1, which does not serve it now: it may wait a second for the primary.
    private func after(
        read: Int, _ preference: RoutePreference = .primary, isSettled: Bool = false
    ) -> RouteRequest {
        var request = request(needs: 60, preference)
        request.lastRead = .init(node: NodeID(1), endedAt: at(read), isSettled: isSettled)
        request.settling = .seconds(1)
        return request
    }

    @Test func thePrimaryIsAskedWhenItShowsWhatAReplicaHasShown() throws {
        let request = after(read: 70)
        let settle = RouteDecision.settle(try #require(request.lastRead), deadline: Self.now + .seconds(1))
        #expect(decide(settled(69), request) == settle)
        #expect(decide(settled(69), after(read: 70, .auto)) == settle)
        #expect(settled(69).unsettled(request) == request.lastRead)
        #expect(decide(settled(70), request) == .primary(.preferred))
        #expect(settled(70).unsettled(request) == nil)
        #expect(decide(settled(69), after(read: 70, isSettled: true)) == .primary(.preferred))
        var waited = request
        waited.hasWaited = true
        #expect(decide(settled(69), waited) == .primary(.preferred))
        #expect(settled(69).unsettled(waited) != nil, "and that is counted")
        var impatient = request
        impatient.settling = .zero
        #expect(decide(settled(69), impatient) == .primary(.preferred))
    }

    /// Nobody can tell what a server showed before its restart, or what one shows that is not looked at.
    @Test func whatCannotBeFoundOutIsNotWaitedFor() {
        #expect(decide(settled(69, availableSince: 71), after(read: 70)) == .primary(.preferred))
        #expect(decide(settled(99, availableSince: 71), after(read: 70)) == .primary(.preferred))
        #expect(settled(99, availableSince: 71).unsettled(after(read: 70)) != nil)
        #expect(decide(settled(69, standing: .unusable(.unreachable)), after(read: 70)) == .primary(.preferred))
        var promoted = settled(69)
        promoted.primaryChanged(to: NodeID(1), knownSince: 3)
        #expect(decide(promoted, after(read: 70)) == .primary(.preferred))
        #expect(promoted.unsettled(after(read: 70)) == nil, "it shows what it showed")
    }

    /// The primary takes no share of what it may not show yet, where the replica still serves.
    @Test func aReplicaGoesOnInstead() {
        var router = settled(69)
        for _ in 0..<5 { router.began(NodeID(1)) }
        var request = after(read: 70, .auto)
        request.needs = at(40)
        #expect(decide(router, request) == .replica(NodeID(1), .sticky))
        request.lastRead = .init(node: NodeID(1), endedAt: at(69))
        #expect(decide(router, request) == .primary(.balanced))
    }
}
