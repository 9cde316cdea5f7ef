import Testing
import WaldenDependency

@testable import WaldenCache

@Suite struct FilingTests {
    private static func values(_ range: Range<Int64>) -> Test_ { .isIn(range.map { .integer($0) }) }
    private typealias Test_ = WaldenDependency.Test

    private func filing(_ terms: Term...) -> Filing? { Filing(Conjunction(terms: terms)) }

    private func equalityColumns(_ filing: Filing?) -> [String] { filing?.equalities.map(\.column.name) ?? [] }

    @Test func onePointIsFiledOnce() {
        let filing = filing(equal("a", 5))
        #expect(equalityColumns(filing) == ["a"])
        #expect(filing?.combinations == 1)
        #expect(filing?.residual == [])
        #expect(filing?.range == nil)
    }

    @Test func everyRowHasNothingToFile() {
        let filing = filing()
        #expect(filing?.combinations == 1)
        #expect(equalityColumns(filing) == [])
        #expect(filing?.residual == [])
    }

    @Test func whatNoRowSatisfiesIsNotFiled() {
        #expect(filing(equal("a", 1), Term(column: column("b"), test: .never)) == nil)
        #expect(filing(Term(column: column("a"), test: .isIn([]))) == nil)
    }

    @Test func fewCombinationsAreMultipliedOut() {
        let filing = filing(equal("a", 1, 2, 3), equal("b", 4, 5), Term(column: column("c"), test: .isNull))
        #expect(equalityColumns(filing) == ["c", "b", "a"])
        #expect(filing?.combinations == 6)
        #expect(filing?.equalities.first?.keys == [.null])
        #expect(filing?.residual == [])
    }

    /// The column with the fewest values is filed, the long one is checked on the candidates.
    @Test func manyCombinationsLeaveTheLongestToBeChecked() {
        let long = Term(column: column("b"), test: Self.values(0..<40))
        let filing = filing(long, equal("a", 1, 2))
        #expect(equalityColumns(filing) == ["a"])
        #expect(
            filing?.range
                == Filing.Range(column: column("b"), lower: .inclusive(.integer(0)), upper: .inclusive(.integer(39))))
        #expect(filing?.residual == [long])
    }

    @Test func oneLongListIsFiledByItself() {
        let filing = filing(Term(column: column("a"), test: Self.values(0..<1000)))
        #expect(filing?.combinations == 1000)
        #expect(filing?.residual == [])
    }

    @Test func aListTooLongServesAsItsSpan() {
        let term = Term(column: column("a"), test: Self.values(10..<6000))
        let filing = filing(term)
        #expect(filing?.combinations == 1)
        #expect(
            filing?.range
                == Filing.Range(column: column("a"), lower: .inclusive(.integer(10)), upper: .inclusive(.integer(5999)))
        )
        #expect(filing?.residual == [term])
    }

    @Test func aSpentBudgetLeavesNoEqualities() {
        let filing = Filing(Conjunction(terms: [equal("a", 1)]), budget: 0)
        #expect(filing?.equalities == [])
        #expect(filing?.residual == [equal("a", 1)])
    }

    @Test func rangesOfOneColumnAreJoined() {
        let filing = filing(
            within("a", .inclusive(.integer(1)), .unbounded), within("a", .exclusive(.integer(1)), .unbounded),
            within("a", .unbounded, .exclusive(.integer(9))))
        #expect(
            filing?.range
                == Filing.Range(column: column("a"), lower: .exclusive(.integer(1)), upper: .exclusive(.integer(9))))
        #expect(filing?.residual == [])
    }

    @Test func theRangeBoundedOnBothSidesIsPreferred() {
        let open = within("a", .inclusive(.integer(1)), .unbounded)
        let filing = filing(open, within("b", .inclusive(.integer(1)), .inclusive(.integer(2))))
        #expect(filing?.range?.column.name == "b")
        #expect(filing?.residual == [open])
    }

    @Test func theRestIsChecked() {
        let rest = [
            Term(column: column("b"), test: .isNotNull), Term(column: column("c"), test: .isNot(.integer(3))),
            within("d", .unbounded, .unbounded),
        ]
        let filing = Filing(Conjunction(terms: [equal("a", 1)] + rest))
        #expect(equalityColumns(filing) == ["a"])
        #expect(filing?.residual == rest)
    }

    /// A second equality on the same column restricts further; it cannot be filed.
    @Test func aColumnIsFiledOnce() {
        let filing = filing(equal("a", 1), equal("a", 1, 2))
        #expect(equalityColumns(filing) == ["a"])
        #expect(filing?.residual == [equal("a", 1, 2)])
    }

    @Test func atMostEightColumnsAreFiled() {
        let terms = (0..<12).map { equal("c\($0)", 1) }
        let filing = Filing(Conjunction(terms: terms))
        #expect(filing?.equalities.count == 8)
        #expect(filing?.residual.count == 4)
    }
}
