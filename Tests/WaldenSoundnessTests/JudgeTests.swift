import Testing
import WaldenCache
import WaldenCore
import WaldenDependency

@testable import walden_soundness

/// Can the judge fail? One query over a table of integers is filled, then rows change.
@Suite struct JudgeTests {
    private let table = RelationDescription(
        id: RelationID(100), namespace: "public", name: "t", replicaIdentity: .full,
        columns: ["id", "v"].map {
            RelationDescription.Column(name: $0, type: .int4, typeModifier: -1, isKey: $0 == "id")
        })

    private func insert(_ id: Int32, _ value: Int32) -> RowChange {
        var bytes: [UInt8] = []
        let fields = [id, value].map { number -> Field in
            withUnsafeBytes(of: number.bigEndian) { bytes += $0 }
            return Field(kind: .binary, offset: UInt32(bytes.count - 4), length: 4)
        }
        return RowChange(kind: .insert, relation: table, bytes: bytes, old: nil, new: fields)
    }

    private func dependencies(id: Int64) -> Dependencies {
        let column = ColumnReference(name: "id", type: .int4, family: .integer)
        let term = Term(column: column, test: .isIn([.integer(id)]))
        let predicate = Predicate(alternatives: [Conjunction(terms: [term])])
        return Dependencies(tables: [
            TableDependency(relation: RelationID(100), columns: ["id", "v"], predicate: predicate)
        ])
    }

    private func transaction(_ changes: [RowChange], whole: [RelationID] = []) -> CommittedTransaction {
        CommittedTransaction(
            xid: 120, commitLSN: LSN(1990), endLSN: LSN(2000), commitTime: 0, changes: changes, wholeRelations: whole,
            messages: [], changeCount: changes.count)
    }

    private func snapshot(_ next: UInt64) -> Snapshot {
        Snapshot(xmin: TransactionID(next), xmax: TransactionID(next), inProgress: [])
    }

    /// A judge with one servable entry for a query of the row 2.
    private func judge(under dependencies: Dependencies) -> Judge {
        let judge = Judge(places: 2)
        judge.start(at: LSN(1000), snapshot: snapshot(100), ceiling: TransactionID(50))
        #expect(judge.begin(0, dependencies))
        judge.complete(0, Answer(rows: [[2]], isOrdered: true))
        judge.settle(snapshot: snapshot(100), insertLSN: LSN(1000))
        judge.takeStock()
        #expect(judge.isLive(0))
        #expect(!judge.isLive(1))
        return judge
    }

    private func tally(_ ruling: Ruling?, isChanged: Bool) -> PairTally {
        var tally = PairTally()
        if let ruling { tally.add(ruling, isChanged: isChanged) }
        return tally
    }

    @Test func rightDependencyIsNoMiss() {
        let rulings = judge(under: dependencies(id: 2)).apply(transaction([insert(2, 5)]))
        #expect(rulings[1] == nil)
        let tally = tally(rulings[0], isChanged: true)
        #expect((tally.pairs, tally.touching, tally.affected) == (1, 1, 1))
        #expect((tally.missed, tally.needless) == (0, 0))
        #expect(rulings[0]?.cause == .row)
        #expect(rulings[0]?.contradiction == nil)
    }

    @Test func weakenedDependencyIsAMiss() {
        let rulings = judge(under: dependencies(id: 3)).apply(transaction([insert(2, 5)]))
        let tally = tally(rulings[0], isChanged: true)
        #expect((tally.missed, tally.affected) == (1, 0))
        var run = RunTally()
        run.classes[RunTally.Class(shape: .single, hasFullIdentity: true)] = tally
        #expect(run.hasFailed)
    }

    @Test func forgottenTableIsAMiss() {
        let rulings = judge(under: Dependencies(tables: [])).apply(transaction([insert(2, 5)]))
        #expect(tally(rulings[0], isChanged: true).missed == 1)
    }

    @Test func needlessDropIsCountedByItsCause() {
        let everything = transaction([], whole: [RelationID(100)])
        let tally = tally(judge(under: dependencies(id: 2)).apply(everything)[0], isChanged: false)
        #expect((tally.needless, tally.missed) == (1, 0))
        #expect(tally.needlessByCause == [.wholeRelation: 1])
    }

    @Test func otherRowAndOtherTableLeaveTheEntry() {
        let other = judge(under: dependencies(id: 2)).apply(transaction([insert(3, 5)]))[0]
        #expect(other?.wasDropped == false)
        #expect(other?.touches == true)
        let elsewhere = judge(under: dependencies(id: 2)).apply(transaction([], whole: [RelationID(7)]))[0]
        #expect(elsewhere?.touches == false)
    }

    @Test func failedAnswerIsNotKept() {
        let judge = Judge(places: 1)
        judge.start(at: LSN(1000), snapshot: snapshot(100), ceiling: TransactionID(50))
        #expect(judge.begin(0, dependencies(id: 2)))
        judge.complete(0, Answer(failure: "22012"))
        judge.settle(snapshot: snapshot(100), insertLSN: LSN(1000))
        judge.takeStock()
        #expect(!judge.isLive(0))
    }

    @Test func answersAreComparedAsTheStatementOrdersThem() {
        let rows: [[UInt8]] = [Answer.row([[1], nil]), Answer.row([[2], []])]
        #expect(Answer(rows: rows, isOrdered: false) == Answer(rows: rows.reversed(), isOrdered: false))
        #expect(Answer(rows: rows, isOrdered: true) != Answer(rows: rows.reversed(), isOrdered: true))
        #expect(Answer(rows: [rows[0], rows[0]], isOrdered: false) != Answer(rows: [rows[0]], isOrdered: false))
        #expect(Answer.row([nil]) != Answer.row([[]]))
        #expect(Answer(rows: [Answer.row([[97], nil])], isOrdered: true).lines == ["(a, NULL)"])
    }
}
