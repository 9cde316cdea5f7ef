import Testing
import WaldenDependency

@testable import WaldenCache

@Suite struct BoundsTests {
    private static let five = Value.integer(5)

    @Test(arguments: [
        (Bound.unbounded, true, true, true), (.inclusive(five), false, true, true),
        (.exclusive(five), false, false, true),
    ])
    func admitsFromBelow(bound: Bound, four: Bool, five: Bool, six: Bool) {
        #expect(bound.admitsFromBelow(.integer(4)) == four)
        #expect(bound.admitsFromBelow(.integer(5)) == five)
        #expect(bound.admitsFromBelow(.integer(6)) == six)
    }

    @Test(arguments: [
        (Bound.unbounded, true, true, true), (.inclusive(five), true, true, false),
        (.exclusive(five), true, false, false),
    ])
    func admitsFromAbove(bound: Bound, four: Bool, five: Bool, six: Bool) {
        #expect(bound.admitsFromAbove(.integer(4)) == four)
        #expect(bound.admitsFromAbove(.integer(5)) == five)
        #expect(bound.admitsFromAbove(.integer(6)) == six)
    }

    /// Every pair, against what they admit.
    @Test func ordersByWhatIsAdmitted() {
        let values: [Value] = (0..<6).map { .integer($0) }
        let bounds = [Bound.unbounded] + (1..<5).flatMap { [Bound.inclusive(.integer($0)), .exclusive(.integer($0))] }
        // Between two integers nothing lies, so halves stand for what the bounds admit beyond them.
        func starts(_ bound: Bound) -> Int { values.filter { bound.admitsFromBelow($0) }.count }
        func ends(_ bound: Bound) -> Int { values.filter { bound.admitsFromAbove($0) }.count }
        for left in bounds {
            for right in bounds {
                let start = Bound.compareStarts(left, right)
                if starts(left) > starts(right) { #expect(start < 0) }
                if starts(left) < starts(right) { #expect(start > 0) }
                let end = Bound.compareEnds(left, right)
                if ends(left) > ends(right) { #expect(end > 0) }
                if ends(left) < ends(right) { #expect(end < 0) }
                #expect((start == 0) == (left == right))
                #expect((end == 0) == (left == right))
            }
        }
    }

    @Test func picksTheTighterAndTheWider() {
        let inclusive = Bound.inclusive(Self.five)
        let exclusive = Bound.exclusive(Self.five)
        #expect(Bound.laterStart(inclusive, exclusive) == exclusive)
        #expect(Bound.laterStart(.unbounded, inclusive) == inclusive)
        #expect(Bound.earlierEnd(inclusive, exclusive) == exclusive)
        #expect(Bound.earlierEnd(.unbounded, exclusive) == exclusive)
        #expect(Bound.laterEnd(inclusive, exclusive) == inclusive)
        #expect(Bound.laterEnd(.unbounded, inclusive) == .unbounded)
    }
}
