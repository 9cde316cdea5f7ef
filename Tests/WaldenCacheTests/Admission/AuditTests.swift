import Testing
import WaldenCore
import WaldenDependency

@testable import WaldenCache

@Suite struct AuditTests {
    private let row = Dependencies(tables: [
        TableDependency(relation: RelationID(100), columns: nil, predicate: .everyRow)
    ])
    private let policy = StatementPolicy(
        shape: StatementShape(id: ShapeID(rawValue: 1), normalized: []), audit: .rows)

    private func cache(_ configuration: CacheConfiguration = CacheConfiguration(maxStaleness: .seconds(1))) -> TestCache
    {
        let test = TestCache(configuration)
        test.start()
        return test
    }

    private func begin(_ test: TestCache, _ key: String, isAudit: Bool = false) -> FillID? {
        let decision = test.cache.beginFill(
            key: Array(key.utf8), dependencies: row, generation: 1, now: test.tick(), notOlderThan: .distantPast,
            policy: policy, isAudit: isAudit)
        if case .fill(let id) = decision { return id }
        return nil
    }

    /// Fills a key, then reads it again for an audit.
    private func audited(_ test: TestCache, kept: String, read: String) -> [Audit] {
        test.complete(begin(test, "q"), kept)
        test.probe()
        test.complete(begin(test, "q", isAudit: true), read)
        test.probe()
        return test.cache.takeAudits()
    }

    private func change(_ test: TestCache, _ xid: UInt32) {
        test.apply(xid, [test.relation.insert([.integer(1), .integer(1)])])
    }

    @Test func bothResultsComeTogetherWhenTheNewOneIsServable() throws {
        let test = cache()
        let audits = audited(test, kept: "1", read: "1")
        let audit = try #require(audits.first)
        #expect(audits.count == 1)
        #expect((audit.kept as? Answer)?.text == "1")
        #expect((audit.read as? Answer)?.text == "1")
        #expect(audit.watermark == test.position)
        test.cache.auditEnded(audit, agrees: true)
        #expect(test.statistics.auditsAgreed == 1)
        #expect(test.lookup("q") == "1")
        #expect(test.cache.takeAudits().isEmpty)
    }

    @Test func aDifferenceTakesTheShapeOutOfTheCache() throws {
        let test = cache()
        let audit = try #require(audited(test, kept: "wrong", read: "right").first)
        test.complete(begin(test, "r"), "other")
        let pending = begin(test, "s")
        test.cache.auditEnded(audit, agrees: false)
        #expect(test.lookup("q") == "miss")
        #expect(begin(test, "q") == nil)
        #expect(test.complete(pending, "late")?.outcome == .tainted(.quarantined))
        test.probe()
        #expect(test.lookup("r") == "miss")
        #expect(test.lookup("s") == "miss")
        let statistics = test.statistics
        #expect(statistics.auditMismatches == 1)
        #expect(statistics.quarantinedShapes == 1)
        #expect(statistics.entries == 0)
        #expect(statistics.fillsRefused[.quarantined] == 1)
        #expect(statistics.invalidations[.quarantined] == 2)
        #expect(test.cache.shape(ShapeID(rawValue: 1))?.isQuarantined == true)
    }

    @Test func otherShapesStay() throws {
        let test = cache()
        test.keep("x", row, "x")
        let audit = try #require(audited(test, kept: "wrong", read: "right").first)
        test.cache.auditEnded(audit, agrees: false)
        #expect(test.lookup("x") == "x")
    }

    @Test func changedMeanwhileIsNoDifference() {
        let test = cache()
        test.complete(begin(test, "q"), "1")
        test.probe()
        let audit = begin(test, "q", isAudit: true)
        change(test, 200)
        test.complete(audit, "2")
        test.probe("1000:1000:")
        #expect(test.cache.takeAudits().isEmpty)
    }

    /// The change is applied after the query, but before the watermark has passed all that the query can have read.
    @Test func changedBeforeTheWatermarkIsNoDifference() {
        let test = cache()
        test.complete(begin(test, "q"), "1")
        test.probe()
        test.complete(begin(test, "q", isAudit: true), "2")
        test.probe(ahead: 100)
        change(test, 200)
        #expect(test.cache.takeAudits().isEmpty)
    }

    /// The entry went, and with it what there was to compare: the new result is kept.
    @Test func withoutTheEntryTheResultIsKept() {
        let test = cache()
        test.complete(begin(test, "q"), "1")
        test.probe()
        change(test, 200)
        test.probe("1000:1000:")
        test.complete(begin(test, "q", isAudit: true), "2")
        test.probe()
        #expect(test.cache.takeAudits().isEmpty)
        #expect(test.lookup("q") == "2")
    }

    @Test func waitingAuditsAreBounded() {
        let test = cache()
        test.complete(begin(test, "q"), "1")
        test.probe()
        for _ in 0..<(Engine.maxAudits + 3) {
            test.complete(begin(test, "q", isAudit: true), "1")
            test.probe()
        }
        #expect(test.statistics.auditsGivenUp == 3)
        #expect(test.cache.takeAudits().count == Engine.maxAudits)
    }

    @Test func aForgottenShapeEmptiesTheCache() throws {
        let test = cache(CacheConfiguration(maxStaleness: .seconds(1), maxShapes: 1))
        let audit = try #require(audited(test, kept: "wrong", read: "right").first)
        let other = StatementPolicy(shape: StatementShape(id: ShapeID(rawValue: 2), normalized: []))
        _ = test.cache.beginFill(
            key: [1], dependencies: row, generation: 1, now: test.tick(), notOlderThan: .distantPast, policy: other)
        test.cache.auditEnded(audit, agrees: false)
        #expect(test.lookup("q") == "miss")
        #expect(test.statistics.entries == 0)
    }

    @Test func aboutOneHitOfThePeriodIsTaken() {
        let sampler = AuditSampler(period: 100, seed: 42)
        #expect((0..<100).allSatisfy { _ in !sampler.takesHit() })
        let taken = (0..<100_000).count { _ in sampler.takesHit() }
        #expect((800...1_200).contains(taken))
        let off = AuditSampler(period: 0, seed: 42)
        #expect((0..<1_000).allSatisfy { _ in !off.takesHit() })
    }
}

@Suite struct InvalidationLogTests {
    private func record(_ shape: UInt64, _ lsn: UInt64) -> InvalidationRecord {
        InvalidationRecord(
            shape: ShapeID(rawValue: shape), lsn: LSN(lsn), transaction: TransactionID(1), relation: RelationID(1),
            change: .insert, cause: .row, equalities: [], range: nil, key: [])
    }

    @Test func aNoisyShapeHidesNoOther() {
        var log = InvalidationLog()
        log.add(record(1, 1))
        for lsn in 2...1_000 { log.add(record(2, UInt64(lsn))) }
        #expect(log.records(of: ShapeID(rawValue: 1)).count == 1)
        #expect(log.records(of: ShapeID(rawValue: 2)).map(\.lsn) == (985...1_000).reversed().map { LSN(UInt64($0)) })
        for shape in 3...1_000 { log.add(record(UInt64(shape), 1)) }
        #expect(log.records.count == 256)
    }

    @Test func recordsTellHowAnEntryWasFound() throws {
        let test = TestCache(CacheConfiguration(maxStaleness: .seconds(1), recordsValues: true))
        test.start()
        let column = ColumnReference(name: "id", type: .int8, family: .integer)
        let predicate = Predicate(alternatives: [
            Conjunction(terms: [Term(column: column, test: .isIn([.integer(7)]))])
        ])
        let dependencies = Dependencies(tables: [
            TableDependency(relation: RelationID(100), columns: nil, predicate: predicate)
        ])
        let policy = StatementPolicy(shape: StatementShape(id: ShapeID(rawValue: 1), normalized: []))
        guard
            case .fill(let id) = test.cache.beginFill(
                key: [1], dependencies: dependencies, generation: 1, now: test.tick(), notOlderThan: .distantPast,
                policy: policy)
        else { return #expect(Bool(false)) }
        test.complete(id, "1")
        test.probe()
        test.apply(200, [test.relation.delete([.integer(7), .integer(1)])])
        let record = try #require(test.cache.invalidations(of: ShapeID(rawValue: 1)).first)
        #expect(record.change == .delete)
        #expect(record.cause == .row)
        #expect(record.transaction == TransactionID(200))
        #expect(record.lsn == test.position)
        #expect(record.equalities == ["id"])
        #expect(record.range == nil)
        #expect(record.key == ["id=7"])
    }
}
