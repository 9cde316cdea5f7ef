import Testing
import WaldenCore
import WaldenHooks

@testable import WaldenFailover

/// What a row of the table tells the hooks.
@Suite struct EventTests {
    @Test(
        arguments: [
            (.suspect, .hold, [.stateChanged, .incidentBegun]), (.steady, .hold, [.stateChanged, .incidentBegun]),
            (.needsHuman, .hold, [.stateChanged, .incidentBegun]), (.hold, .hold, [.stateChanged]),
            (.hold, .sever, [.stateChanged]), (.open, .steady, [.stateChanged, .incidentEnded]),
            (.aborting, .steady, [.stateChanged, .incidentEnded]),
            (.aborting, .needsHuman, [.stateChanged, .incidentEnded]), (.aborting, .aborting, [.stateChanged]),
            (.steady, .suspect, [.stateChanged]), (.discover, .steady, [.stateChanged]),
        ] as [(FailoverState, FailoverState, [HookEvent.Kind])])
    func aRowIsTold(_ from: FailoverState, _ to: FailoverState, _ kinds: [HookEvent.Kind]) {
        let note = FailoverNote(
            row: 310, from: from, to: to, term: Term(4), primary: NodeID(1), finding: .crashed, reason: "r",
            details: ["d"], incident: nil, primarySeenAt: nil)
        let events = HookEvent.events(of: note, at: 9) { "db\($0.index)" }
        #expect(events.map(\.event) == kinds)
        #expect(events.allSatisfy { $0.primary == "db1" && $0.from == from.rawValue && $0.details == ["d"] })
    }
}
