import Testing
import WaldenCore
import WaldenDependency

@testable import WaldenCache

@Suite struct IntervalForestTests {
    private struct Interval {
        let lower: Bound
        let upper: Bound
        let node: Int32
    }

    private static func bound(_ random: inout SplitMix64) -> Bound {
        let value = Value.integer(Int64(random.below(40)))
        return switch random.below(8) {
        case 0: .unbounded
        case 1..<5: .inclusive(value)
        default: .exclusive(value)
        }
    }

    /// Two trees in one arena, against lists.
    @Test(arguments: 0..<8) func answersLikeALinearSearch(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        var forest = IntervalForest()
        var roots: [Int32] = [-1, -1]
        var twins: [[Int32: Interval]] = [[:], [:]]
        var item: Int32 = 0
        for _ in 0..<600 {
            let tree = random.below(2)
            if random.chance(60) || twins[tree].isEmpty {
                let lower = Self.bound(&random)
                let upper = Self.bound(&random)
                let node = forest.insert(lower: lower, upper: upper, item: item, root: &roots[tree])
                twins[tree][item] = Interval(lower: lower, upper: upper, node: node)
                item += 1
            } else if let chosen = twins[tree].keys.sorted().randomElement(using: &random),
                let interval = twins[tree].removeValue(forKey: chosen)
            {
                forest.remove(interval.node, root: &roots[tree])
            }
            let value = Value.integer(Int64(random.below(42)) - 1)
            for tree in 0..<2 {
                var found: [Int32] = []
                forest.forEach(containing: value, root: roots[tree]) { found.append($0) }
                let expected = twins[tree].filter {
                    $0.value.lower.admitsFromBelow(value) && $0.value.upper.admitsFromAbove(value)
                }
                #expect(found.sorted() == expected.keys.sorted())
            }
        }
        #expect(forest.count == twins[0].count + twins[1].count)
        for tree in 0..<2 {
            var all: [Int32] = []
            forest.forEach(root: roots[tree]) { all.append($0) }
            #expect(all.sorted() == twins[tree].keys.sorted())
        }
    }

    /// Ascending insertions would make an unbalanced tree a list.
    @Test func staysShallow() {
        var forest = IntervalForest()
        var root: Int32 = -1
        for number in 0..<4096 {
            let lower = Bound.inclusive(.integer(Int64(number)))
            _ = forest.insert(lower: lower, upper: lower, item: Int32(number), root: &root)
        }
        #expect(forest.height(root: root) < 60)
    }

    @Test func anEmptyIntervalIsNeverFound() {
        var forest = IntervalForest()
        var root: Int32 = -1
        let node = forest.insert(
            lower: .inclusive(.integer(9)), upper: .inclusive(.integer(3)), item: 1, root: &root)
        for value in 0..<12 {
            forest.forEach(containing: .integer(Int64(value)), root: root) { _ in Issue.record("found") }
        }
        forest.remove(node, root: &root)
        #expect(root < 0)
        #expect(forest.count == 0)
    }
}
