import Testing
import WaldenCore
import WaldenProxy

/// Scenario: the role of primary goes from node to node. Risk: a connection counts as one of a later reign than it was
/// opened in, and what became of a lost COMMIT is asked for where nobody knows it.
@Suite struct ReignTests {
    private let routes = RouteTable(isOn: true, weights: [1, 1, 1])

    @Test func eachPrimaryBeginsAReign() {
        #expect(routes.reign(of: NodeID(0)) == Reign(number: 0))
        #expect(routes.reign(of: NodeID(1)) == nil)
        let beginning = SwitchPoint(nextTransaction: TransactionID(7), watchedSince: Instant(nanoseconds: 1))
        #expect(routes.serve(NodeID(1), term: 2, knownSince: 0, beginning: beginning) == NodeID(0))
        #expect(routes.reign(of: NodeID(0)) == nil)
        #expect(routes.reign(of: NodeID(1)) == Reign(number: 1, beginning: beginning))
        // Nobody saw it begin.
        #expect(routes.serve(NodeID(0), term: 3, knownSince: 0) == NodeID(1))
        #expect(routes.reign(of: NodeID(0)) == Reign(number: 2))
    }

    /// A failover that was given up.
    @Test func theSamePrimaryGoesOn() {
        let beginning = SwitchPoint(nextTransaction: TransactionID(7), watchedSince: Instant(nanoseconds: 1))
        #expect(routes.serve(NodeID(0), term: 2, knownSince: 0, beginning: beginning) == NodeID(0))
        #expect(routes.reign(of: NodeID(0)) == Reign(number: 0))
    }

    @Test func anOverruledTermBeginsNone() {
        #expect(routes.raise(5))
        #expect(routes.serve(NodeID(1), term: 4, knownSince: 0) == nil)
        #expect(routes.reign(of: NodeID(0)) == Reign(number: 0))
    }
}
