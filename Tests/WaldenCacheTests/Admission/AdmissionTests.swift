import Testing
import WaldenCore
import WaldenDependency

@testable import WaldenCache

private func policy(_ id: UInt64) -> StatementPolicy {
    StatementPolicy(shape: StatementShape(id: ShapeID(rawValue: id), normalized: Array("SELECT \(id)".utf8)))
}

extension TestCache {
    /// A miss of statement `key`; whether it filled the cache. Executes in 200 µs.
    fileprivate func miss(_ key: String, _ dependencies: Dependencies, _ policy: StatementPolicy) -> Bool {
        let decision = cache.beginFill(
            key: Array(key.utf8), dependencies: dependencies, generation: 1, now: tick(), notOlderThan: .distantPast,
            policy: policy)
        guard case .fill(let id) = decision else { return false }
        let counter = cache.tag(of: id)?.hits
        tick(200_000)
        _ = cache.completeFill(id, payload: counter ?? HitCounter(), payloadBytes: 10, now: now)
        probe()
        return true
    }

    /// A lookup as the proxy makes it; whether it hit.
    fileprivate func hit(_ key: String) -> Bool {
        let bytes = Array(key.utf8)
        guard case .hit(let payload) = cache.lookup(bytes.span.bytes, now: now, notOlderThan: .distantPast) else {
            return false
        }
        (payload as? HitCounter)?.bump()
        return true
    }
}

@Suite struct AdmissionTests {
    private let row = Dependencies(tables: [
        TableDependency(relation: RelationID(100), columns: nil, predicate: .everyRow)
    ])

    private func cache(judges: Bool = true, shapes: Int = 16) -> TestCache {
        let test = TestCache(
            CacheConfiguration(maxStaleness: .seconds(1), judgesBenefit: judges, maxShapes: shapes))
        test.start()
        return test
    }

    /// Rounds of: a change that drops everything, then `reads` of one key.
    private func rounds(_ count: Int, reads: Int, _ test: TestCache, _ policy: StatementPolicy) -> Int {
        var filled = 0
        for _ in 0..<count {
            test.apply(200, [test.relation.insert([.integer(1), .integer(1)])])
            test.probe("1000:1000:")
            for _ in 0..<reads where !test.hit("q") {
                if test.miss("q", row, policy) { filled += 1 }
            }
        }
        return filled
    }

    @Test func shapeThatIsWrittenMoreThanReadStopsFillingAndComesBack() {
        let test = cache()
        let shape = policy(1)
        #expect(rounds(100, reads: 1, test, shape) < 30)
        #expect(test.cache.shape(ShapeID(rawValue: 1))?.isDeclined == true)
        #expect(test.statistics.declinedShapes == 1)
        #expect(test.statistics.fillsRefused[.doesNotPay] > 70)
        _ = rounds(200, reads: 8, test, shape)
        #expect(test.cache.shape(ShapeID(rawValue: 1))?.isDeclined == false)
        #expect(rounds(20, reads: 8, test, shape) == 20)
        #expect(test.cache.shapes(limit: 5).first?.hits ?? 0 > 100)
        #expect(test.statistics.savedNanoseconds > 100 * 200_000)
    }

    @Test func oneShapeDoesNotSpeakForAnother() {
        let test = cache()
        _ = rounds(40, reads: 1, test, policy(1))
        #expect(test.miss("r", row, policy(2)))
    }

    @Test func nothingIsJudgedWhenAllIsToBeKept() {
        let test = cache(judges: false)
        #expect(rounds(100, reads: 1, test, policy(1)) == 100)
    }

    @Test func accountsAreBounded() {
        let test = cache(shapes: 8)
        for id in 1...100 { #expect(test.miss("q\(id)", row, policy(UInt64(id)))) }
        #expect(test.statistics.shapes <= 8)
        #expect(test.statistics.forgottenShapes >= 92)
        // Those of forgotten shapes may go like others.
        test.apply(200, [test.relation.insert([.integer(1), .integer(1)])])
        #expect(test.statistics.entries == 0)
    }

    @Test func figuresTellWhatHappened() throws {
        let test = cache()
        _ = rounds(3, reads: 4, test, policy(7))
        let figures = try #require(test.cache.shape(ShapeID(rawValue: 7)))
        #expect(figures.text == "SELECT 7")
        #expect(figures.hits == 9)
        #expect(figures.misses == 3)
        #expect(figures.fillsKept == 3)
        #expect(figures.dropped[.row] == 2)
        #expect(figures.executionNanoseconds >= 200_000)
        #expect(figures.savedNanoseconds >= 9 * 200_000)
    }
}

@Suite struct RuleEnforcementTests {
    private let row = Dependencies(tables: [
        TableDependency(relation: RelationID(100), columns: nil, predicate: .everyRow)
    ])

    private func policy(_ change: (inout CacheRule) -> Void) -> StatementPolicy {
        var rule = CacheRule(name: "r")
        change(&rule)
        return StatementPolicy(shape: StatementShape(id: ShapeID(rawValue: 1), normalized: []), rule: rule)
    }

    private func cache() -> TestCache {
        let test = TestCache(CacheConfiguration(maxStaleness: .seconds(1)))
        test.start()
        return test
    }

    @Test func forbiddenIsNotKept() {
        let test = cache()
        #expect(!test.miss("q", row, policy { $0.caching = .forbid }))
        #expect(test.statistics.fillsRefused[.forbidden] == 1)
    }

    @Test func forcedIsKeptWhateverItIsWorth() {
        let test = cache()
        let policy = policy { $0.caching = .force }
        for _ in 0..<100 {
            #expect(test.miss("q", row, policy))
            test.apply(200, [test.relation.insert([.integer(1), .integer(1)])])
            test.probe("1000:1000:")
        }
    }

    @Test func entriesPastTheirAgeAreNotServed() {
        let test = cache()
        let policy = policy { $0.maxAge = .milliseconds(1) }
        #expect(test.miss("q", row, policy))
        #expect(test.lookup("q") == "?")
        test.tick(2_000_000)
        test.probe()
        #expect(test.lookup("q") == "miss")
        #expect(test.miss("q", row, policy))
        #expect(test.statistics.invalidations[.expired] == 1)
        #expect(test.lookup("q") == "?")
        #expect(test.statistics.entries == 1)
    }

    @Test func ageCountsFromTheBeginningOfTheQuery() {
        let test = cache()
        // It takes 200 µs.
        #expect(test.miss("q", row, policy { $0.maxAge = .microseconds(150) }))
        #expect(test.lookup("q") == "miss")
    }

    @Test func resultsBeyondTheRulesBoundAreNotKept() {
        let test = cache()
        #expect(test.miss("q", row, policy { $0.maxResultBytes = 9 }))
        #expect(test.lookup("q") == "miss")
        #expect(test.miss("r", row, policy { $0.maxResultBytes = 10 }))
        #expect(test.lookup("r") == "?")
    }
}
