import Testing
import WaldenCore

@testable import WaldenFailover

/// Risk: a wrong count promotes a standby that lacks an acknowledged commit.
@Suite struct QuorumTests {
    private static func nodes(_ count: Int) -> [NodeID] { (1...count).map { NodeID($0) } }

    /// Against a dumb twin: every set of members that may have held a commit, every set severed.
    @Test func provenMeansThatEveryQuorumMeetsTheSevered() throws {
        for count in 1...5 {
            let members = Self.nodes(count)
            for required in 1...count {
                let rule = try SynchronousRule(required: required, of: Set(members))
                for severed in subsets(of: members) {
                    let holders = subsets(of: members).filter { $0.count == required }
                    let meetsAll = holders.allSatisfy { !$0.isDisjoint(with: severed) }
                    let rest = Set(members).subtracting(severed)
                    #expect(rule.isProven(bySevered: severed) == meetsAll)
                    #expect(rule.isProven(bySevered: severed) == !rule.canAcknowledge(with: rest))
                }
            }
        }
    }

    private func subsets(of nodes: [NodeID]) -> [Set<NodeID>] {
        (0..<(1 << nodes.count)).map { bits in
            Set(nodes.indices.filter { bits >> $0 & 1 == 1 }.map { nodes[$0] })
        }
    }

    @Test func strangersProveNothing() throws {
        let rule = try SynchronousRule(required: 1, of: [NodeID(1), NodeID(2)])
        #expect(rule.severedRequired == 2)
        #expect(!rule.isProven(bySevered: [NodeID(1), NodeID(3)]))
        #expect(rule.isProven(bySevered: [NodeID(1), NodeID(2), NodeID(3)]))
    }

    @Test func noRuleProvesNothing() {
        #expect(!SynchronousRules(nil).isProven(bySevered: Set(Self.nodes(3))))
    }

    /// A commit acknowledged under the old rule may be held by a node that the new one does not name.
    @Test func anOldRuleCountsUntilMembersOfTheNewOneHoldAll() throws {
        var rules = SynchronousRules(try SynchronousRule(required: 1, of: [NodeID(1), NodeID(2)]))
        rules.reported(try SynchronousRule(required: 1, of: [NodeID(2), NodeID(3)]))
        #expect(!rules.isProven(bySevered: [NodeID(2), NodeID(3)]))
        #expect(rules.isProven(bySevered: [NodeID(1), NodeID(2), NodeID(3)]))
        rules.held(by: [NodeID(1)])
        #expect(!rules.isProven(bySevered: [NodeID(2), NodeID(3)]))
        rules.held(by: [NodeID(2)])
        #expect(rules.isProven(bySevered: [NodeID(2), NodeID(3)]))
    }

    @Test func aRuleTakenBackIsNoOldOne() throws {
        let one = try SynchronousRule(required: 1, of: [NodeID(1)])
        let two = try SynchronousRule(required: 1, of: [NodeID(2)])
        var rules = SynchronousRules(one)
        rules.reported(two)
        rules.reported(one)
        #expect(rules.outgoing == [two])
    }

    /// A time without a rule leaves commits that nobody need hold; the rule before it is remembered.
    @Test func withoutARuleNothingIsProvenLater() throws {
        let rule = try SynchronousRule(required: 1, of: [NodeID(1)])
        var rules = SynchronousRules(rule)
        rules.reported(nil)
        #expect(!rules.isProven(bySevered: [NodeID(1)]))
        rules.held(by: [NodeID(1)])
        #expect(rules.outgoing == [rule])
    }

    /// What was acknowledged meanwhile may be held by nobody else.
    @Test func afterATimeWithoutARuleItsMembersMustHoldAll() throws {
        let rule = try SynchronousRule(required: 1, of: [NodeID(1)])
        var rules = SynchronousRules(rule)
        rules.reported(nil)
        rules.reported(rule)
        #expect(!rules.isProven(bySevered: [NodeID(1)]))
        rules.held(by: [NodeID(1)])
        #expect(rules.isProven(bySevered: [NodeID(1)]))
    }

    @Test func tooManyChangesForbidAProof() throws {
        var rules = SynchronousRules(try SynchronousRule(required: 1, of: [NodeID(1)]))
        for index in 2...SynchronousRules.capacity {
            rules.reported(try SynchronousRule(required: 1, of: [NodeID(index)]))
        }
        #expect(rules.isProven(bySevered: Set(Self.nodes(20))))
        rules.reported(try SynchronousRule(required: 1, of: [NodeID(SynchronousRules.capacity + 1)]))
        #expect(!rules.isProven(bySevered: Set(Self.nodes(20))))
    }
}

@Suite struct StandbyNamesTests {
    private static let nodes = ["a": NodeID(0), "b": NodeID(1), "Node C": NodeID(2)]

    @Test(arguments: [
        ("ANY 1 (a, b)", 1, ["a", "b"]), ("FIRST 2 (a, b, c)", 2, ["a", "b", "c"]), ("2 (a, b)", 2, ["a", "b"]),
        ("a, b", 1, ["a", "b"]), ("a", 1, ["a"]), ("any 1 (B, \"Node C\")", 1, ["b", "Node C"]),
        ("\"a\"\"b\"", 1, ["a\"b"]), ("  first 1(a)  ", 1, ["a"]), ("first, any", 1, ["first", "any"]), ("*", 1, ["*"]),
        ("ANY 1 (1, 2)", 1, ["1", "2"]),
    ])
    func readsWhatPostgreSQLReads(text: String, required: Int, names: [String]) throws {
        let read = try #require(try StandbyNames.parse(text))
        #expect(read.required == required)
        #expect(read.names == names)
    }

    @Test(arguments: [
        "ANY (a)", "ANY 1", "ANY 1 ()", "a b", "a,", ",a", "ANY 1 (a", "ANY 1 a)", "\"a", "a; b", "ANY ANY 1 (a)", "()",
        "1 (a) b",
    ])
    func refusesWhatPostgreSQLRefuses(text: String) {
        #expect(throws: StandbyNamesProblem.unreadable(text)) { try StandbyNames.parse(text) }
    }

    @Test func emptyMeansNobody() throws {
        #expect(try StandbyNames.parse("  ") == nil)
    }

    @Test func namesAreThoseOfNodes() throws {
        let rule = try StandbyNames.parse("ANY 1 (B, \"Node C\")")?.rule(among: Self.nodes)
        #expect(rule?.members == [NodeID(1), NodeID(2)])
    }

    @Test(arguments: [
        ("ANY 1 (a, stranger)", StandbyNamesProblem.namesNobody("stranger")), ("*", .namesEverybody),
        ("ANY 3 (a, b)", .requiresMore(3, than: 2)), ("ANY 0 (a)", .requiresNobody),
        // One node by two spellings is one node.
        ("ANY 2 (a, A)", .requiresMore(2, than: 1)),
    ])
    func whatProvesNothingIsRefused(text: String, problem: StandbyNamesProblem) throws {
        let names = try #require(try StandbyNames.parse(text))
        #expect(throws: problem) { try names.rule(among: Self.nodes) }
    }

    @Test func everyProblemSaysWhatToDo() {
        let problems: [StandbyNamesProblem] = [
            .unreadable("x"), .requiresNobody, .requiresMore(2, than: 1), .namesEverybody, .namesNobody("x"),
        ]
        for problem in problems { #expect(problem.description.contains(":")) }
    }
}

@Suite struct ElectionTests {
    private static func voter(
        _ node: Int, _ received: UInt64, replayed: UInt64? = nil, timeline: UInt32 = 1, priority: Int = 100,
        slots: Int = 1, paused: Bool = false
    ) -> Election.Voter {
        Election.Voter(
            node: NodeID(node),
            position: Incident.Position(
                timeline: TimelineID(timeline), received: LSN(received), replayed: LSN(replayed ?? received)),
            priority: priority, freeSlots: slots, isReplayPaused: paused)
    }

    private static func winner(
        _ voters: [Election.Voter], notBehind: Set<NodeID>? = [NodeID(1), NodeID(2)], wish: NodeID? = nil
    ) -> NodeID? {
        Election(among: voters, on: TimelineID(1), notBehind: notBehind, wish: wish, needsSlot: true).winner
    }

    @Test func theFurthestWins() {
        #expect(Self.winner([Self.voter(1, 100), Self.voter(2, 200)]) == NodeID(2))
    }

    @Test func ofEquallyFarOnesPriorityThenReplayThenPlace() {
        #expect(Self.winner([Self.voter(1, 100, priority: 1), Self.voter(2, 100, priority: 2)]) == NodeID(2))
        #expect(Self.winner([Self.voter(1, 100, replayed: 50), Self.voter(2, 100, replayed: 60)]) == NodeID(2))
        #expect(Self.winner([Self.voter(2, 100), Self.voter(1, 100)]) == NodeID(1))
    }

    /// What the furthest member holds may be acknowledged; a nearer one is not promoted in its stead.
    @Test func nobodyBehindASeveredMemberWins() {
        #expect(Self.winner([Self.voter(1, 100), Self.voter(2, 200, priority: 0)]) == nil)
        #expect(Self.winner([Self.voter(1, 100), Self.voter(2, 200, slots: 0)]) == nil)
        #expect(Self.winner([Self.voter(1, 100), Self.voter(2, 200, paused: true)]) == nil)
        #expect(Self.winner([Self.voter(1, 100), Self.voter(2, 200)], wish: NodeID(1)) == nil)
    }

    /// A standby that is no member may hold more; nothing of that was acknowledged.
    @Test func aNearerMemberMayWinBeforeANonMember() {
        #expect(Self.winner([Self.voter(1, 100), Self.voter(3, 200, priority: 0)]) == NodeID(1))
        #expect(Self.winner([Self.voter(1, 100), Self.voter(3, 200)]) == NodeID(3))
    }

    @Test func anotherTimelineNeverWins() {
        #expect(Self.winner([Self.voter(1, 100), Self.voter(2, 900, timeline: 2)]) == NodeID(1))
        #expect(Self.winner([Self.voter(2, 900, timeline: 2)]) == nil)
    }

    @Test func everyLoserHasItsReason() {
        let election = Election(
            among: [Self.voter(1, 100), Self.voter(2, 200), Self.voter(3, 150, timeline: 7)], on: TimelineID(1),
            notBehind: [NodeID(1), NodeID(2)], needsSlot: true)
        #expect(election.winner == NodeID(2))
        #expect(Set(election.refusals.keys) == [NodeID(1), NodeID(3)])
    }
}
