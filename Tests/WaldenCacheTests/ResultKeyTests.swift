import Testing
import WaldenCore
import WaldenDependency

@testable import WaldenCache

/// Results that are filed by the keys of their rows, under replica identity DEFAULT: the stream does not say which
/// group an old row was in, but which row it was.
@Suite struct ResultKeyTests {
    /// `SELECT id, a FROM t WHERE a = 7`.
    private let group = Dependencies(
        tables: [
            TableDependency(
                relation: RelationID(100), columns: ["id", "a"],
                predicate: Predicate(alternatives: [Conjunction(terms: [equal("a", 7)])]), resultKey: 0)
        ],
        resultKeys: ResultKeyPlan(width: 2, keys: [[.init(reference: column("id"), position: 0)]]))

    private func keys(_ ids: Int64...) -> ResultKeys {
        ResultKeys(values: [ids.map { .known(.integer($0)) }])
    }

    private func kept(_ keys: ResultKeys?) -> TestCache {
        let test = TestCache()
        test.start()
        test.keep("q", group, "1, 2", keys: keys)
        return test
    }

    @Test func anUpdateOfAnotherRowChangesNothing() {
        let test = kept(keys(1, 2))
        let report = test.apply(100, [test.relation.update(nil, [5, 3])])
        #expect(report.dropped.total == 0)
        test.probe("101:101:")
        #expect(test.lookup("q") == "1, 2")
    }

    @Test func aRowThatLeavesDropsIt() {
        let test = kept(keys(1, 2))
        let report = test.apply(100, [test.relation.update(nil, [2, 3])])
        #expect(report.dropped[.row] == 1)
        #expect(test.lookup("q") == "miss")
    }

    @Test func aRowThatComesDropsIt() {
        let test = kept(keys(1, 2))
        #expect(test.apply(100, [test.relation.update(nil, [5, 7])]).dropped[.row] == 1)
    }

    @Test func deletesAreToldApartByKey() {
        let test = kept(keys(1, 2))
        #expect(test.apply(100, [test.relation.delete([5, .notSent])]).dropped.total == 0)
        #expect(test.apply(101, [test.relation.delete([1, .notSent])]).dropped[.row] == 1)
    }

    @Test func anEmptyResultIsLeftByNobody() {
        let test = kept(keys())
        #expect(
            test.apply(100, [test.relation.update(nil, [5, 3]), test.relation.delete([6, .notSent])]).dropped.total == 0
        )
        #expect(test.apply(101, [test.relation.insert([5, 7])]).dropped[.row] == 1)
    }

    /// The key itself changes: the old one was sent.
    @Test(arguments: [(Int64(1), 1), (5, 0)])
    func aRowUnderANewKey(old: Int64, dropped: Int) {
        let test = kept(keys(1, 2))
        let change = test.relation.update([.integer(old), .notSent], [9, 3])
        #expect(test.apply(100, [change]).dropped.total == dropped)
    }

    /// Two updates of one row in one transaction: whether the first made it part of the result, its new row tells.
    @Test func aRowThatComesAndLeavesDropsIt() {
        let test = kept(keys(1, 2))
        let changes = [test.relation.update(nil, [5, 7]), test.relation.update(nil, [5, 3])]
        #expect(test.apply(100, changes).dropped[.row] == 1)
    }

    @Test func withoutKeysAnyOldRowCounts() {
        let test = kept(nil)
        #expect(test.apply(100, [test.relation.update(nil, [5, 3])]).dropped[.unknownOldRow] == 1)
    }

    /// While the query runs nobody knows its keys: what left meanwhile is judged when it has completed.
    @Test(arguments: [(Int64(5), FillCompletion.Outcome.pendingVisibility), (2, .tainted(.row))])
    func rowsThatLeaveARunningFill(id: Int64, outcome: FillCompletion.Outcome) {
        let test = TestCache()
        test.start()
        let fill = test.fill("q", group)
        #expect(test.apply(100, [test.relation.update(nil, [.integer(id), 3])]).tainted == 0)
        #expect(test.complete(fill, "1, 2", keys: keys(1, 2))?.outcome == outcome)
        #expect(test.statistics.fillsTainted[.row] == (id == 2 ? 1 : 0))
    }

    @Test func aRunningFillWhoseKeysCannotBeReadIsTaintedThen() {
        let test = TestCache()
        test.start()
        let fill = test.fill("q", group)
        test.apply(100, [test.relation.delete([5, .notSent])])
        #expect(test.complete(fill, "1, 2")?.outcome == .tainted(.unknownOldRow))
        #expect(test.lookup("q") == "miss")
    }

    @Test func aRunningFillIsTaintedByARowThatComes() {
        let test = TestCache()
        test.start()
        let fill = test.fill("q", group)
        #expect(test.apply(100, [test.relation.update(nil, [5, 7])]).tainted == 1)
        #expect(test.complete(fill, "1, 2", keys: keys(1, 2))?.outcome == .tainted(.row))
    }

    @Test func onlySoManyRowsAreNoted() {
        let test = TestCache()
        test.start()
        _ = test.fill("q", group)
        let rows = (0...Int64(LeavingRows.limit)).map { test.relation.update(nil, [.integer(100 + $0), 3]) }
        #expect(test.apply(100, Array(rows.dropLast())).tainted == 0)
        #expect(test.apply(101, [rows[0]]).tainted == 0)
        #expect(test.apply(102, [rows[LeavingRows.limit]]).tainted == 1)
    }

    /// A transaction applied before the fill began, and not yet certain to be visible.
    @Test(arguments: [(Int64(5), FillCompletion.Outcome.pendingVisibility), (2, .tainted(.row))])
    func rowsThatLeftBeforeIt(id: Int64, outcome: FillCompletion.Outcome) {
        let test = TestCache()
        test.start()
        test.apply(100, [test.relation.update(nil, [.integer(id), 3])])
        #expect(test.complete(test.fill("q", group), "1, 2", keys: keys(1, 2))?.outcome == outcome)
    }

    /// Another table's key, or the same table in another shape: what the change does not tell may be anything.
    @Test func aChangeThatHidesTheKeyDropsIt() {
        let test = kept(keys(1, 2))
        let reshaped = TestRelation(["id", "a"], key: ["a"])
        #expect(test.apply(100, [reshaped.update(nil, [5, 3])]).dropped[.unknownOldRow] == 1)
    }

    @Test func truncationDropsIt() {
        #expect(kept(keys(1, 2)).apply(100, wholeRelations: [100]).dropped[.wholeRelation] == 1)
    }

    /// What the index holds is counted, and gone with the entry.
    @Test func theKeysLeaveWithTheEntry() {
        var index = PredicateIndex()
        let few = index.insert(0, group, keys: FiledKeys(keys(1), of: group))
        let many = index.insert(1, group, keys: FiledKeys(keys(1, 2, 3, 3), of: group))
        #expect(many.bytes == few.bytes + 160)
        #expect(index.postings.count == 6)
        index.remove(few.first)
        index.remove(many.first)
        #expect(index.postings.count == 0)
        #expect(index.groups.count == 0)
    }

    @Test func keysThatCannotBeFiledAreNone() {
        let many = ResultKeys(values: [(0...Int64(Filing.maxKeys)).map { .known(.integer($0)) }])
        #expect(FiledKeys(many, of: group) == nil)
        #expect(FiledKeys(ResultKeys(values: [[.unknown]]), of: group) == nil)
        #expect(FiledKeys(ResultKeys(values: []), of: group) == nil)
        #expect(FiledKeys(nil, of: group) == nil)
        #expect(FiledKeys(keys(1), of: depends([])) == nil)
    }
}
