import Testing
import WaldenCore
import WaldenDependency

@testable import WaldenCache

@Suite struct RecentListTests {
    private static let relation = TestRelation(["id", "a"], key: ["id"])
    private static let other = TestRelation(id: 200, ["id"], key: ["id"])

    private var list = RecentList(bounds: RecentList.Bounds(changes: 8, bytes: 100_000))

    private static func transaction(
        _ xid: UInt32, _ changes: [RowChange], wholeRelations: [UInt32] = []
    ) -> CommittedTransaction {
        CommittedTransaction(
            xid: xid, commitLSN: LSN(UInt64(xid) * 10), endLSN: LSN(UInt64(xid) * 10 + 5), commitTime: 0,
            changes: changes, wholeRelations: wholeRelations.map { RelationID($0) }, messages: [],
            changeCount: changes.count)
    }

    private mutating func add(_ xid: UInt32, _ changes: [RowChange], wholeRelations: [UInt32] = []) {
        list.add(
            Self.transaction(xid, changes, wholeRelations: wholeRelations), xid: TransactionID(UInt64(xid)))
    }

    /// Everything below `xmax` is visible.
    private static func horizon(_ xmax: UInt64) -> Horizon {
        .primary(Snapshot(xmin: TransactionID(xmax), xmax: TransactionID(xmax), inProgress: []))
    }

    /// Old rows are left for the result's keys, if it will show them.
    @Test mutating func rowsThatLeftWaitForTheKeys() {
        add(5, [Self.relation.update(nil, [1, 0]), Self.relation.delete([2, .notSent])])
        add(6, [Self.relation.insert([3, 7])])
        let plain = depends([equal("a", 7)])
        let keyed = Dependencies(
            tables: [
                TableDependency(
                    relation: RelationID(100), columns: nil, predicate: plain.tables[0].predicate, resultKey: 0)
            ],
            resultKeys: ResultKeyPlan(width: 1, keys: [[.init(reference: column("id"), position: 0)]]))
        let seen = Horizon.primary(snapshot("5:7:5"))
        #expect(list.taint(of: plain, under: seen) == .recentTransaction)
        var leaving = LeavingRows()
        #expect(list.taint(of: keyed, under: seen, leaving: &leaving) == nil)
        for (id, isNoted) in [(Int64(1), true), (2, true), (3, false)] {
            let keys = ResultKeys(values: [[.known(.integer(id))]])
            #expect(FiledKeys(keys, of: keyed)?.hold(anyOf: leaving) == isNoted)
        }
        #expect(list.taint(of: keyed, under: Self.horizon(5), leaving: &leaving) == .recentTransaction)
    }

    @Test mutating func taintsWhatAnUncoveredTransactionAffects() {
        add(5, [Self.relation.insert([1, 0])])
        let affected = depends([equal("id", 1)])
        #expect(list.taint(of: affected, under: Self.horizon(5)) == .recentTransaction)
        #expect(list.taint(of: affected, under: Self.horizon(6)) == nil)
        #expect(list.taint(of: depends([equal("id", 2)]), under: Self.horizon(5)) == nil)
        #expect(list.taint(of: depends(on: 200, []), under: Self.horizon(5)) == nil)
    }

    @Test mutating func aStandbysHorizonIsItsPosition() {
        add(5, [Self.relation.insert([1, 0])])
        #expect(list.taint(of: depends([]), under: .standby(LSN(54))) == .recentTransaction)
        #expect(list.taint(of: depends([]), under: .standby(LSN(55))) == nil)
    }

    @Test mutating func aWholeRelationTaintsAllThatDependsOnIt() {
        add(5, [], wholeRelations: [100])
        #expect(list.taint(of: depends([equal("id", 7)]), under: Self.horizon(5)) == .recentTransaction)
        #expect(list.taint(of: depends(on: 200, []), under: Self.horizon(5)) == nil)
    }

    @Test mutating func asksEachShapeOfTheRelationItsOwnWay() {
        let moved = TestRelation(["a", "id"], key: ["id"])
        add(5, [Self.relation.insert([1, 2]), moved.insert([3, 4])])
        #expect(list.taint(of: depends([equal("id", 4)]), under: Self.horizon(5)) == .recentTransaction)
        #expect(list.taint(of: depends([equal("id", 3)]), under: Self.horizon(5)) == nil)
    }

    @Test mutating func pruningDropsTheCoveredOnly() {
        for xid in 5..<9 { add(UInt32(xid), [Self.relation.insert([.integer(Int64(xid)), 0])]) }
        let snapshot = Snapshot(xmin: TransactionID(6), xmax: TransactionID(8), inProgress: [TransactionID(6)])
        list.prune(coveredBy: .primary(snapshot))
        #expect(list.count == 2)
        #expect(list.changes == 2)
        #expect(list.taint(of: depends([equal("id", 6)]), under: .primary(snapshot)) == .recentTransaction)
        #expect(list.taint(of: depends([equal("id", 7)]), under: .primary(snapshot)) == nil)
        #expect(list.taint(of: depends([equal("id", 8)]), under: .primary(snapshot)) == .recentTransaction)
    }

    // MARK: Bounds

    @Test mutating func theOldestKeepOnlyTheirRelations() {
        for xid in 0..<4 {
            add(UInt32(xid), (0..<3).map { Self.relation.insert([.integer(Int64(xid * 10 + $0)), 0]) })
        }
        #expect(list.changes == 6)
        #expect(list.count == 4)
        // The first two are summarised: anything of their relation may be affected.
        #expect(list.taint(of: depends([equal("id", 999)]), under: Self.horizon(0)) == .recentListOverflow)
        #expect(list.taint(of: depends(on: 200, []), under: Self.horizon(0)) == nil)
        // The newer ones are still known row by row.
        #expect(list.taint(of: depends([equal("id", 999)]), under: Self.horizon(2)) == nil)
        #expect(list.taint(of: depends([equal("id", 31)]), under: Self.horizon(2)) == .recentTransaction)
    }

    @Test mutating func aGiantDoesNotPushOutTheOthers() {
        add(1, [Self.relation.insert([1, 0])])
        add(2, (0..<6).map { Self.other.insert([.integer(Int64($0))]) })
        #expect(list.changes == 1)
        #expect(list.taint(of: depends([equal("id", 1)]), under: Self.horizon(1)) == .recentTransaction)
        #expect(list.taint(of: depends([equal("id", 2)]), under: Self.horizon(1)) == nil)
        #expect(list.taint(of: depends(on: 200, [equal("id", 99)]), under: Self.horizon(1)) == .recentListOverflow)
    }

    @Test func bytesAreBoundedToo() {
        var list = RecentList(bounds: RecentList.Bounds(changes: 1000, bytes: 1000))
        for xid in 1..<10 {
            let change = Self.relation.insert([1, 0])
            list.add(Self.transaction(UInt32(xid), [change]), xid: TransactionID(UInt64(xid)))
        }
        #expect(list.count == 9)
        #expect(list.changes * 128 <= 1000)
    }

    @Test mutating func aTransactionOverManyRelationsMayAffectAnything() {
        let changes = (0..<20).map { TestRelation(id: UInt32(300 + $0), ["id"]).insert([1]) }
        add(5, changes)
        #expect(list.changes == 0)
        #expect(list.taint(of: depends(on: 1, []), under: Self.horizon(5)) == .recentListOverflow)
        #expect(list.taint(of: depends(on: 1, []), under: Self.horizon(6)) == nil)
    }

    /// Probes fail for long: transactions beyond the second bound are forgotten, and all fills that may not see them
    /// are not kept.
    @Test mutating func forgottenOnesKeepFillsAwayUntilAllAreCovered() {
        for xid in 0..<1100 { add(UInt32(xid), [Self.relation.insert([1, 0])]) }
        #expect(list.count == 1024)
        let unrelated = depends(on: 200, [])
        #expect(list.taint(of: unrelated, under: Self.horizon(75)) == .recentListOverflow)
        #expect(list.taint(of: unrelated, under: Self.horizon(76)) == nil)
        #expect(list.taint(of: unrelated, under: .standby(LSN(754))) == .recentListOverflow)
        #expect(list.taint(of: unrelated, under: .standby(LSN(755))) == nil)
        list.prune(coveredBy: Self.horizon(50))
        #expect(list.taint(of: unrelated, under: Self.horizon(50)) == .recentListOverflow)
        list.prune(coveredBy: Self.horizon(2000))
        #expect(list.isEmpty)
        #expect(list.taint(of: unrelated, under: Self.horizon(0)) == nil)
    }

    @Test mutating func emptying() {
        add(5, [Self.relation.insert([1, 0])])
        list.removeAll()
        #expect(list.isEmpty)
        #expect(list.changes == 0)
        #expect(list.taint(of: depends([]), under: Self.horizon(0)) == nil)
    }
}

extension RecentList {
    /// For results that show no keys.
    fileprivate func taint(of dependencies: Dependencies, under horizon: Horizon) -> Taint? {
        var leaving = LeavingRows()
        let taint = taint(of: dependencies, under: horizon, leaving: &leaving)
        #expect(dependencies.resultKeys != nil || leaving.isEmpty)
        return taint
    }
}
