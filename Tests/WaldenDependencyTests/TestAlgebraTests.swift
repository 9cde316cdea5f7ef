import Testing
import WaldenCore

@testable import WaldenDependency

/// Tests, their evaluation, and their intersection, against plain definitions.
struct TestAlgebraTests {
    private static func random(_ generator: inout SplitMix64) -> ColumnTest {
        func value() -> Value { .integer(Int64(generator.next() % 8)) }
        func bound() -> Bound {
            switch generator.next() % 3 {
            case 0: .unbounded
            case 1: .inclusive(value())
            default: .exclusive(value())
            }
        }
        switch generator.next() % 7 {
        case 0, 1: return ColumnTest.isIn(unsorted: (0...(generator.next() % 4)).map { _ in value() })
        case 2, 3: return .isWithin(lower: bound(), upper: bound())
        case 4: return .isNot(value())
        case 5: return .isNotNull
        default: return generator.next() % 2 == 0 ? .isNull : .never
        }
    }

    /// The definition, value by value.
    private static func holds(_ test: ColumnTest, _ field: FieldValue) -> Truth {
        guard case .known(let value) = field else {
            if field == .unknown { return test == .never ? .no : .unknown }
            return test == .isNull ? .yes : .no
        }
        let result: Bool =
            switch test {
            case .isIn(let values): values.contains(value)
            case .isWithin(let lower, let upper):
                (lower.value.map { lower == .inclusive($0) ? value >= $0 : value > $0 } ?? true)
                    && (upper.value.map { upper == .inclusive($0) ? value <= $0 : value < $0 } ?? true)
            case .isNot(let other): value != other
            case .isNotNull: true
            case .isNull, .never: false
            }
        return result ? .yes : .no
    }

    private static let fields: [FieldValue] = (0..<9).map { .known(.integer($0)) } + [.null, .unknown]

    @Test func evaluationIsTheDefinition() {
        var generator = SplitMix64(seed: 3)
        for _ in 0..<5_000 {
            let test = Self.random(&generator)
            for field in Self.fields { #expect(test.evaluate(field) == Self.holds(test, field)) }
        }
    }

    @Test func intersectionHoldsWhereBothHold() {
        var generator = SplitMix64(seed: 4)
        for _ in 0..<20_000 {
            let (left, right) = (Self.random(&generator), Self.random(&generator))
            guard left.merges(with: right) else { continue }
            let both = left.intersection(right)
            for field in Self.fields where field != .unknown {
                let expected = Self.holds(left, field) == .yes && Self.holds(right, field) == .yes
                #expect((both.evaluate(field) == .yes) == expected, "\(left) and \(right) at \(field)")
            }
        }
    }

    @Test func listsAreSortedAndUnique() {
        #expect(ColumnTest.isIn(unsorted: []) == .never)
        #expect(
            ColumnTest.isIn(unsorted: [.integer(3), .integer(1), .integer(3)]) == .isIn([.integer(1), .integer(3)]))
        #expect(ColumnTest.isIn([.value(.integer(1)), .null, .gap(lower: nil, upper: nil)]) == .isIn([.integer(1)]))
        #expect(ColumnTest.isIn([.value(.integer(1)), .unknown]) == nil)
        #expect(ColumnTest.isIn([.null]) == .never)
    }

    /// Every comparison with every constant, against arithmetic on halves: 3 stands for 1.5.
    @Test func comparisonsWithGaps() {
        let comparisons: [(Comparison, (Int, Int) -> Bool)] = [
            (.equal, ==), (.notEqual, !=), (.less, <), (.lessOrEqual, <=), (.greater, >), (.greaterOrEqual, >=),
        ]
        for half in -3...13 {
            let lower = half <= 0 ? nil : Value.integer(Int64((half - 1) / 2))
            let upper = half >= 10 ? nil : Value.integer(Int64((half + 1) / 2))
            let isWhole = half % 2 == 0 && (0...10).contains(half)
            let constant: Constant =
                isWhole
                ? .value(.integer(Int64(half / 2)))
                : .gap(
                    lower: half < 0 ? nil : half > 10 ? .integer(5) : lower,
                    upper: half > 10 ? nil : half < 0 ? .integer(0) : upper)
            for (comparison, holds) in comparisons {
                for value in 0...5 {
                    let test = comparison.test(against: constant, isOrdered: true)
                    let expected: Truth = holds(value * 2, half) ? .yes : .no
                    #expect(
                        test?.evaluate(.known(.integer(Int64(value)))) == expected, "\(value) \(comparison) \(half)/2")
                    #expect(test?.evaluate(.null) == .no)
                }
            }
        }
    }

    @Test func mirroredAndNegated() {
        for comparison in [Comparison.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual] {
            #expect(comparison.negated.negated == comparison)
            #expect(comparison.mirrored.mirrored == comparison)
            for value in 0...2 {
                let other = Constant.value(.integer(1))
                let direct = comparison.test(against: other, isOrdered: true)?.evaluate(.known(.integer(Int64(value))))
                let negated = comparison.negated.test(against: other, isOrdered: true)?
                    .evaluate(.known(.integer(Int64(value))))
                #expect(direct != negated)
            }
        }
        #expect(Comparison.less.test(against: .value(.integer(1)), isOrdered: false) == nil)
        #expect(Comparison.equal.test(against: .unknown, isOrdered: true) == nil)
        #expect(Comparison.notEqual.test(against: .null, isOrdered: true) == .never)
    }

    @Test func predicatesAreThreeValued() {
        let column = ColumnReference(name: "a", type: .int4, family: .integer)
        let other = ColumnReference(name: "b", type: .int4, family: .integer)
        let one = Term(column: column, test: .isIn([.integer(1)]))
        let two = Term(column: other, test: .isIn([.integer(2)]))
        let both = Predicate(alternatives: [Conjunction(terms: [one, two])])
        let either = Predicate(alternatives: [Conjunction(terms: [one]), Conjunction(terms: [two])])
        func row(_ a: FieldValue, _ b: FieldValue) -> (ColumnReference) -> FieldValue {
            { $0.name == "a" ? a : b }
        }
        let hit = FieldValue.known(.integer(1))
        let miss = FieldValue.known(.integer(7))
        #expect(both.evaluate(row(hit, .unknown)) == .unknown)
        #expect(both.evaluate(row(miss, .unknown)) == .no)
        #expect(both.evaluate(row(.unknown, .null)) == .no)
        #expect(both.evaluate(row(hit, .known(.integer(2)))) == .yes)
        #expect(either.evaluate(row(hit, .unknown)) == .yes)
        #expect(either.evaluate(row(miss, .unknown)) == .unknown)
        #expect(either.evaluate(row(miss, .null)) == .no)
        #expect(Predicate.everyRow.evaluate(row(.unknown, .unknown)) == .yes)
        #expect(Predicate(alternatives: []).evaluate(row(hit, hit)) == .no)
        #expect(Truth.unknown.mayHold && Truth.yes.mayHold && !Truth.no.mayHold)
    }
}
