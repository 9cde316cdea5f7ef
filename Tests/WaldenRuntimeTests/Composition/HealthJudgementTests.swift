import Testing
import WaldenAdmin

@testable import WaldenRuntime

/// Risk: a balancer sends writes to a node that takes none, or reads to one that shows the past.
@Suite struct HealthJudgementTests {
    private var judgement = HealthJudgement(
        nodes: [node("primary", "primary"), node("replica1", "replica"), node("replica2", "replica")],
        primary: "primary", maxLag: .seconds(10))

    private static func node(_ name: String, _ role: String) -> NodeReport {
        var node = NodeReport()
        node.name = name
        node.role = role
        node.reachable = true
        if role == "replica" {
            node.lagBytes = 4_096
            node.lagSeconds = 1.5
        }
        return node
    }

    private func ask(_ role: HealthQuestion.Role, node: String? = nil, lag: String? = nil) -> HealthAnswer {
        judgement.answer(HealthQuestion(role, node: node, lag: lag))
    }

    @Test func aWholeClusterServesEverything() {
        #expect(ask(.primary) == HealthAnswer(.fit(node: "primary")))
        #expect(ask(.replica) == HealthAnswer(.fit(node: "replica1")))
        #expect(ask(.readOnly) == HealthAnswer(.fit(node: "primary")))
        #expect(ask(.primary, node: "primary") == HealthAnswer(.fit(node: "primary")))
        #expect(ask(.replica, node: "replica2") == HealthAnswer(.fit(node: "replica2")))
        #expect(ask(.readOnly, node: "replica2") == HealthAnswer(.fit(node: "replica2")))
    }

    @Test func aNodeServesItsOwnRoleOnly() {
        #expect(
            ask(.primary, node: "replica1")
                == HealthAnswer(.unfit, "replica1: it is not the primary, which is primary"))
        #expect(ask(.replica, node: "primary") == HealthAnswer(.unfit, "primary: it is the primary"))
    }

    /// The primary is who Walden serves, whatever another node says of itself.
    @Test func aPrimaryOfLongAgoIsNone() {
        var judgement = judgement
        judgement.primary = "replica1"
        judgement.nodes[1].role = "primary"
        #expect(judgement.answer(HealthQuestion(.primary)) == HealthAnswer(.fit(node: "replica1")))
        #expect(judgement.answer(HealthQuestion(.primary, node: "primary")).verdict == .unfit)
        judgement.nodes[1].role = "replica"
        #expect(judgement.answer(HealthQuestion(.primary)) == HealthAnswer(.unfit, "replica1: it is a standby"))
    }

    @Test(arguments: [
        ("4kB", true), ("4095", false), ("4096", true), ("1MB", true), ("0", false), ("1s", false), ("1500ms", true),
        ("2s", true), ("1 min", true), ("0ms", false),
    ])
    func lagIsGivenInBytesOrTime(lag: String, isFit: Bool) {
        #expect((ask(.replica, lag: lag).verdict == .fit(node: "replica1")) == isFit)
    }

    @Test(arguments: ["", "x", "-1", "1XB", "1.5s", "99999999999999999999", "2000TB2", "1000000h"])
    func aLagThatIsNoneIsTold(lag: String) {
        #expect(ask(.replica, lag: lag).verdict == .malformed)
    }

    @Test func withoutAWordTheConfigurationsLagHolds() {
        var judgement = judgement
        judgement.nodes[1].lagSeconds = 10.5
        judgement.nodes[2].lagSeconds = nil
        let answer = judgement.answer(HealthQuestion(.replica))
        #expect(
            answer
                == HealthAnswer(
                    .unfit, "replica1: it is 10.5 s behind, more than 10.0; replica2: its lag is not known"))
        #expect(judgement.answer(HealthQuestion(.replica, lag: "11s")) == HealthAnswer(.fit(node: "replica1")))
    }

    @Test func whatCannotBeReachedServesNothing() {
        var judgement = judgement
        judgement.nodes[0].reachable = false
        judgement.nodes[0].problem = "refused"
        judgement.nodes[1].obstacle = "diverged"
        #expect(judgement.answer(HealthQuestion(.primary)) == HealthAnswer(.unfit, "primary: refused"))
        #expect(judgement.answer(HealthQuestion(.readOnly)) == HealthAnswer(.fit(node: "replica2")))
        judgement.nodes[2].reachable = false
        #expect(
            judgement.answer(HealthQuestion(.readOnly))
                == HealthAnswer(
                    .unfit, "primary: refused; replica1: diverged; replica2: it has not been reached yet"))
    }

    @Test func aFailoverUnderWayHoldsWritesAndNoReads() {
        var judgement = judgement
        judgement.hold = "the primary is being replaced (state sever)"
        #expect(
            judgement.answer(HealthQuestion(.primary))
                == HealthAnswer(.unfit, "primary: the primary is being replaced (state sever)"))
        #expect(judgement.answer(HealthQuestion(.replica)).verdict == .fit(node: "replica1"))
    }

    @Test func anInstanceThatStopsServesNobodyButItsNodesMay() {
        var judgement = judgement
        judgement.refusal = "Walden is stopping"
        for role in HealthQuestion.Role.allCases {
            #expect(judgement.answer(HealthQuestion(role)) == HealthAnswer(.unfit, "Walden is stopping"))
        }
        #expect(judgement.answer(HealthQuestion(.primary, node: "primary")).verdict == .fit(node: "primary"))
    }

    @Test func nodesHaveTheSentinelsNamesToo() {
        var judgement = judgement
        judgement.aliases = ["pg2": "replica1"]
        #expect(judgement.answer(HealthQuestion(.replica, node: "pg2")).verdict == .fit(node: "replica1"))
        let unknown = judgement.answer(HealthQuestion(.replica, node: "pg9"))
        #expect(unknown == HealthAnswer(.malformed, "there is no node pg9: there are primary, replica1, replica2"))
    }

    @Test func aClusterWithoutReplicasSaysSo() {
        let alone = HealthJudgement(nodes: [judgement.nodes[0]], primary: "primary", maxLag: .seconds(1))
        #expect(alone.answer(HealthQuestion(.replica)) == HealthAnswer(.unfit, "no replica is configured"))
        #expect(alone.answer(HealthQuestion(.readOnly)).verdict == .fit(node: "primary"))
    }
}
