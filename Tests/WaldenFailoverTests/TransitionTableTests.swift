import Testing
import WaldenCore

@testable import WaldenFailover

/// Risk: a row that can never be taken, a state that nothing leaves, or an edge that nobody reviewed.
@Suite struct TransitionTableTests {
    @Test func numbersAreUniqueSpacedAndInOrderWithinAState() {
        let numbers = TransitionTable.rows.map(\.number)
        #expect(Set(numbers).count == numbers.count)
        #expect(numbers.allSatisfy { $0.isMultiple(of: 5) })
        for state in FailoverState.allCases {
            let own = TransitionTable.rows(from: state).map(\.number)
            #expect(own == own.sorted())
        }
    }

    @Test func everyStateIsReachedAndLeft() {
        for state in FailoverState.allCases {
            #expect(!TransitionTable.rows(from: state).isEmpty, "nothing leaves \(state)")
            #expect(state == .discover || TransitionTable.rows.contains { $0.to == state }, "nothing leads to \(state)")
        }
    }

    /// Before the point of no return an incident can be given up; after it, it cannot.
    @Test func onlyWhatCanBeUndoneIsUndone() {
        for row in TransitionTable.rows where row.to == .aborting { #expect(row.from.isRevocable) }
        for state in [FailoverState.promote, .opening, .open] {
            #expect(TransitionTable.rows(from: state).allSatisfy { [.opening, .open, .steady].contains($0.to) })
        }
    }

    /// Nothing leads to a promotion but through severing, census and fence.
    @Test func thereIsOneWayToPromotion() {
        #expect(Set(TransitionTable.rows.filter { $0.to == .promote }.map(\.from)) == [.fence])
        #expect(Set(TransitionTable.rows.filter { $0.to == .fence }.map(\.from)) == [.census])
        #expect(Set(TransitionTable.rows.filter { $0.to == .census }.map(\.from)) == [.sever])
    }
}
