import Testing
import WaldenCore
import WaldenDependency

@testable import WaldenCache

/// An index, asked by rows.
private struct Asked {
    var index = PredicateIndex()
    private var images = ImagePair()
    private var count: Int32 = 0

    /// Entries are numbered in the order of filing.
    @discardableResult
    mutating func file(_ dependencies: Dependencies) -> Int32 {
        let first = index.insert(count, dependencies).first
        count += 1
        return first
    }

    mutating func matches(_ change: RowChange) -> [Match] {
        var matches: [Match] = []
        index.match(change, images: &images, into: &matches)
        return matches.sorted { $0.entry < $1.entry }
    }

    mutating func entries(_ change: RowChange) -> [Int32] {
        Set(matches(change).map(\.entry)).sorted()
    }
}

@Suite struct PredicateIndexTests {
    private static let relation = TestRelation(["id", "a", "b"], key: ["id"])
    private static let full = TestRelation(["id", "a", "b"], key: ["id", "a", "b"], identity: .full)

    @Test func pointsAreFoundByTheirValue() {
        var asked = Asked()
        for id in 0..<10 { asked.file(depends([equal("id", Int64(id))])) }
        #expect(asked.entries(Self.relation.insert([3, 0, 0])) == [3])
        #expect(asked.entries(Self.relation.update(nil, [4, 0, 0])) == [4])
        #expect(asked.entries(Self.relation.update([5, .notSent, .notSent], [6, 0, 0])) == [5, 6])
        #expect(asked.entries(Self.relation.delete([7, .notSent, .notSent])) == [7])
        #expect(asked.entries(Self.relation.insert([99, 0, 0])) == [])
        #expect(asked.entries(Self.relation.insert([nil, 0, 0])) == [])
    }

    @Test func otherRelationsMatchNothing() {
        var asked = Asked()
        asked.file(depends(on: 1, []))
        #expect(asked.entries(Self.relation.insert([1, 0, 0])) == [])
    }

    @Test func everyRowMatches() {
        var asked = Asked()
        asked.file(depends([]))
        #expect(asked.matches(Self.relation.insert([1, 0, 0])) == [Match(entry: 0, isCertain: true)])
    }

    @Test func listsAlternativesAndNulls() {
        var asked = Asked()
        asked.file(depends([equal("a", 1, 2)]))
        asked.file(depends([equal("a", 3)], [equal("b", 3)]))
        asked.file(depends([Term(column: column("a"), test: .isNull)]))
        asked.file(depends([Term(column: column("a"), test: .isNotNull)]))
        asked.file(depends([Term(column: column("a"), test: .isNot(.integer(1)))]))
        #expect(asked.entries(Self.relation.insert([9, 1, 0])) == [0, 3])
        #expect(asked.entries(Self.relation.insert([9, 2, 3])) == [0, 1, 3, 4])
        #expect(asked.entries(Self.relation.insert([9, 3, 0])) == [1, 3, 4])
        #expect(asked.entries(Self.relation.insert([9, nil, 0])) == [2])
    }

    @Test func rangesInsideAnEquality() {
        var asked = Asked()
        for bound in 0..<10 {
            asked.file(depends([equal("a", 1), within("b", .exclusive(.integer(Int64(bound))), .unbounded)]))
        }
        asked.file(depends([equal("a", 2), within("b", .unbounded, .unbounded)]))
        #expect(asked.entries(Self.relation.insert([0, 1, 3])) == [0, 1, 2])
        #expect(asked.entries(Self.relation.insert([0, 1, nil])) == [])
        #expect(asked.entries(Self.relation.insert([0, 2, 3])) == [10])
        #expect(asked.entries(Self.relation.insert([0, 3, 3])) == [])
    }

    // MARK: What the stream does not tell

    /// With the default identity an update may have taken a row away from any value of a non-key column.
    @Test func anUnknownOldValueMayHaveBeenAnyOfThem() {
        var asked = Asked()
        for value in 0..<5 { asked.file(depends([equal("a", Int64(value))])) }
        let matches = asked.matches(Self.relation.update(nil, [1, 3, 0]))
        #expect(Set(matches.map(\.entry)) == [0, 1, 2, 3, 4])
        #expect(matches.filter(\.isCertain).map(\.entry) == [3])
    }

    @Test func aFullOldRowTells() {
        var asked = Asked()
        for value in 0..<5 { asked.file(depends([equal("a", Int64(value))])) }
        #expect(asked.entries(Self.full.update([1, 2, 0], [1, 3, 0])) == [2, 3])
        let matches = asked.matches(Self.full.update([1, 2, 0], [1, 3, 0]))
        #expect(matches.count { $0.isCertain } == 2)
    }

    /// The key is known of every old row, so other rows' entries stay.
    @Test func aKnownKeyColumnNarrowsDown() {
        var asked = Asked()
        for id in 0..<50 {
            for value in 0..<3 { asked.file(depends([equal("id", Int64(id)), equal("a", Int64(value))])) }
        }
        #expect(asked.entries(Self.relation.update(nil, [7, 1, 0])) == [21, 22, 23])
        // Entries filed after the narrower index was made are in it, too.
        asked.file(depends([equal("id", 7), equal("a", 9)]))
        #expect(asked.entries(Self.relation.update(nil, [7, 1, 0])) == [21, 22, 23, 150])
        #expect(asked.entries(Self.relation.delete([8, .notSent, .notSent])) == [24, 25, 26])
    }

    /// More combinations of known columns than a group keeps indexes for.
    @Test func manyCombinationsOfKnownColumns() {
        let names = ["a", "b", "c"]
        let relation = TestRelation(names, identity: .full)
        var asked = Asked()
        for value in 0..<27 {
            asked.file(
                depends([
                    equal("a", Int64(value % 3)), equal("b", Int64(value / 3 % 3)), equal("c", Int64(value / 9)),
                ]))
        }
        for mask in 1..<7 {
            let row = names.indices.map { mask & (1 << $0) != 0 ? Cell.integer(1) : .unchangedToast }
            let expected = (0..<27).filter { value in
                let parts = [value % 3, value / 3 % 3, value / 9]
                return names.indices.allSatisfy { mask & (1 << $0) == 0 || parts[$0] == 1 }
            }
            #expect(asked.entries(relation.insert(row)) == expected.map { Int32($0) })
        }
    }

    @Test func aMissingColumnIsUnknown() {
        var asked = Asked()
        asked.file(depends([equal("gone", 1)]))
        asked.file(depends([within("gone", .inclusive(.integer(1)), .unbounded)]))
        asked.file(depends([Term(column: column("gone"), test: .never)]))
        let matches = asked.matches(Self.relation.insert([1, 2, 3]))
        #expect(matches == [Match(entry: 0, isCertain: false), Match(entry: 1, isCertain: false)])
    }

    /// The same name with another type is another column.
    @Test func aColumnOfAnotherTypeIsUnknown() {
        var asked = Asked()
        asked.file(depends([Term(column: textColumn("a"), test: .isIn([.bytes([0x31])]))]))
        #expect(asked.matches(Self.relation.insert([1, 2, 3])) == [Match(entry: 0, isCertain: false)])
    }

    @Test func aNewShapeOfTheRelationIsLookedUp() {
        var asked = Asked()
        asked.file(depends([equal("a", 1)]))
        #expect(asked.entries(Self.relation.insert([0, 1, 2])) == [0])
        let moved = TestRelation(["a", "id"], key: ["id"])
        #expect(asked.entries(moved.insert([1, 0])) == [0])
        #expect(asked.entries(moved.insert([0, 1])) == [])
        #expect(asked.entries(Self.relation.insert([0, 1, 2])) == [0])
    }

    // MARK: Referenced columns

    @Test func updatesOfOtherColumnsLeaveResultsAlone() {
        var asked = Asked()
        asked.file(depends(columns: ["id", "a"], [equal("a", 1)]))
        asked.file(depends(columns: ["a", "b"], [equal("a", 1)]))
        asked.file(depends(columns: nil, [equal("a", 1)]))
        asked.file(depends(columns: ["id", "x"], [equal("a", 1)]))
        #expect(asked.entries(Self.full.update([1, 1, 5], [1, 1, 6])) == [1, 2, 3])
        #expect(asked.entries(Self.full.update([1, 1, 5], [1, 2, 5])) == [0, 1, 2, 3])
        #expect(asked.entries(Self.full.insert([1, 1, 5])) == [0, 1, 2, 3])
    }

    /// A result that reads only the key does not care for updates that leave it.
    @Test func aKeyThatStaysIsEnoughForResultsOfKeysAlone() {
        var asked = Asked()
        asked.file(depends(columns: ["id"], [equal("id", 1)]))
        #expect(asked.entries(Self.relation.update(nil, [1, 2, 3])) == [])
        #expect(asked.entries(Self.relation.update([2, .notSent, .notSent], [1, 2, 3])) == [0])
    }

    // MARK: Whole relations and removal

    @Test func aWholeRelationMatchesAllThatDependsOnIt() {
        var asked = Asked()
        asked.file(depends([equal("a", 1)]))
        asked.file(depends([within("b", .inclusive(.integer(1)), .unbounded)]))
        asked.file(depends([]))
        asked.file(depends(on: 7, []))
        var matches: [Match] = []
        asked.index.matchAll(of: RelationID(100), into: &matches)
        #expect(Set(matches.map(\.entry)) == [0, 1, 2])
        matches = []
        asked.index.matchAll(of: RelationID(55), into: &matches)
        #expect(matches.isEmpty)
    }

    @Test func removalLeavesTheOthersOfABucket() {
        var asked = Asked()
        let postings = (0..<6).map { _ in
            asked.file(depends([equal("a", 1), Term(column: column("b"), test: .isNotNull)]))
        }
        for (removed, left) in [(2, [0, 1, 3, 4, 5]), (5, [0, 1, 3, 4]), (0, [1, 3, 4])] as [(Int, [Int32])] {
            asked.index.remove(postings[removed])
            #expect(asked.entries(Self.relation.insert([0, 1, 2])) == left)
        }
    }

    @Test func anEntryWithoutDependenciesIsFiledNowhere() {
        var index = PredicateIndex()
        let receipt = index.insert(0, Dependencies(tables: []))
        #expect(receipt.first == -1)
        #expect(receipt.bytes == 0)
        index.remove(receipt.first)
        #expect(index.postings.count == 0)
    }

    @Test func aLongListCostsItsPostings() {
        var index = PredicateIndex()
        let values = (0..<500).map { Value.integer($0) }
        let receipt = index.insert(0, depends([Term(column: column("a"), test: .isIn(values))]))
        #expect(index.postings.count == 500)
        #expect(receipt.bytes >= 500 * 60)
    }

    /// What one dependency may occupy is bounded, however many alternatives it has.
    @Test func postingsPerTableAreBounded() {
        var index = PredicateIndex()
        let alternatives =
            (0..<40).map { group in
                Conjunction(terms: [
                    equal("b", Int64(group)),
                    Term(column: column("a"), test: .isIn((0..<60).map { .integer($0) })),
                    Term(column: column("c"), test: .isIn((0..<60).map { .integer($0) })),
                ])
            }
            + (0..<100).map { _ in
                Conjunction(terms: [Term(column: column("a"), test: .isIn((0..<64).map { .integer($0) }))])
            }
        let table = TableDependency(
            relation: RelationID(100), columns: nil, predicate: Predicate(alternatives: alternatives))
        _ = index.insert(0, Dependencies(tables: [table]))
        #expect(index.postings.count <= Filing.maxKeys + alternatives.count)
    }
}
