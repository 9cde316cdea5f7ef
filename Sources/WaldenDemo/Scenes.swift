import WaldenTestKit

private let aggregate = """
    SELECT bid, count(*), sum(abalance), max(abalance) FROM pgbench_accounts GROUP BY bid ORDER BY bid
    """
private let pointRead = "SELECT abalance FROM pgbench_accounts WHERE aid = "

/// Scene 1: what a cache is for.
struct MissAndHit {
    let stage: Stage

    func play() throws {
        Show.scene(1, "A miss, then a hit")
        Show.line(aggregate)
        let direct = try stage.cluster.primary.connect()
        let proxied = try stage.walden.connect()
        _ = try direct.query(aggregate)
        let (truth, directTime) = try timed { try direct.query(aggregate) }
        let (miss, missTime) = try timed { try proxied.query(aggregate) }
        let stack = WaldenStack(cluster: stage.cluster, walden: stage.walden)
        let (hit, hitTime) = try stack.warm { try timed { try proxied.query(aggregate) } }
        guard miss == truth, hit == truth else { throw TestKitError("the aggregate is another one through Walden") }
        Show.row("directly", Show.milliseconds(directTime))
        Show.row("through Walden, a miss", Show.milliseconds(missTime))
        Show.row(
            "through Walden, a hit", Show.milliseconds(hitTime),
            Show.factor(hitTime.inSeconds, directTime.inSeconds))
    }
}

/// Scene 2: somebody writes without Walden's knowledge.
struct Bypass {
    let stage: Stage
    let truth: Truth

    func play() throws {
        Show.scene(2, "A write that bypasses Walden, then fresh data")
        let account = 90_001
        let sql = pointRead + "\(account)"
        let writer = try stage.cluster.primary.connect()
        let reader = try stage.walden.connect()
        let stack = WaldenStack(cluster: stage.cluster, walden: stage.walden)
        Show.line(
            "psql :\(stage.cluster.primary.port)   UPDATE pgbench_accounts SET abalance = … WHERE aid = \(account)")
        var times: [Duration] = []
        for balance in 1...50 {
            try stack.warm(reader, sql)
            try writer.query("UPDATE pgbench_accounts SET abalance = \(balance) WHERE aid = \(account)")
            let committed = ContinuousClock.now
            while try reader.query(sql).integer != balance {
                guard ContinuousClock.now - committed < Stage.maxStaleness else { break }
            }
            times.append(ContinuousClock.now - committed)
            truth.writes.add()
            truth.judge(
                try reader.query(sql).texts, equals: [["\(balance)"]], "account \(account) after a direct write")
        }
        times.sort()
        Show.line(
            "fresh through Walden \(Show.milliseconds(times[times.count / 2])) after COMMIT returned"
                + " (median of \(times.count), at most \(Show.milliseconds(times[times.count - 1])))")
    }
}

/// Scene 3: what has not changed stays.
struct OtherRow {
    let stage: Stage
    let truth: Truth
    private let count = 200

    func play() throws {
        Show.scene(3, "Writes to other rows leave a result where it is")
        let reader = try stage.walden.connect()
        let writer = try stage.cluster.primary.connect()
        let stack = WaldenStack(cluster: stage.cluster, walden: stage.walden)
        let kept = 80_001...(80_000 + count)
        for account in kept { try stack.warm(reader, pointRead + "\(account)") }
        for account in kept {
            try writer.query("UPDATE pgbench_accounts SET abalance = 1 WHERE aid = \(account + 1000)")
            truth.writes.add()
        }
        try stack.waitUntilApplied()
        let hits = try stack.hits {
            for account in kept {
                let answer = try reader.query(pointRead + "\(account)").texts
                truth.judge(answer, equals: [["0"]], "account \(account), which nobody wrote")
            }
        }
        truth.needless.add(count - hits)
        Show.line("\(count) results in memory, \(count) neighbours updated directly")
        Show.line("\(hits) hits, \(count - hits) dropped needlessly")
    }
}

/// Scene 4: how much more of it there is.
struct Throughput {
    let stage: Stage
    let truth: Truth
    private let clients = 8
    private let duration = Duration.seconds(5)

    func play() throws {
        Show.scene(4, "Throughput, \(clients) clients, prepared statements, \(duration.components.seconds) s each")
        Show.row("", "direct/s", "Walden/s", "", "hits")
        try repeatedAggregate()
        try pointReads()
    }

    private func repeatedAggregate() throws {
        func load(_ target: Target) throws -> Double {
            let load = AggregateLoad(target: target, sql: aggregate, truth: truth)
            return try load.run(stage, clients: clients, for: duration)
        }
        let direct = try load(.direct)
        let (walden, hitRate) = try measuringHits { try load(.walden) }
        Show.row(
            "repeated aggregate", Show.number(direct, places: 0), Show.number(walden, places: 0),
            Show.factor(direct, walden), hitRate)
    }

    private func pointReads() throws {
        func load(_ target: Target, seed: UInt64) throws -> Double {
            let load = PointLoad(target: target, truth: truth, writePercentage: 5, seed: seed)
            return try load.run(stage, clients: clients, for: duration)
        }
        let direct = try load(.direct, seed: 1)
        let (walden, hitRate) = try measuringHits { try load(.walden, seed: 2) }
        Show.row(
            "point reads with 5 % writes", Show.number(direct, places: 0), Show.number(walden, places: 0),
            Show.factor(direct, walden), hitRate)
        Show.line("half of the writers past Walden; every read compared with what was committed when")
    }

    private func measuringHits(_ work: () throws -> Double) throws -> (Double, String) {
        let before = try stage.walden.figures()
        let value = try work()
        let after = try stage.walden.figures()
        let hits = Double(after.hits - before.hits)
        let lookups = hits + Double(after.misses - before.misses)
        return (value, Show.number(lookups > 0 ? 100 * hits / lookups : 0, places: 1) + " %")
    }
}

/// Scene 5: nothing stays behind.
struct Quiescence {
    let stage: Stage
    let truth: Truth

    func play() throws {
        Show.scene(5, "When all is quiet")
        let stack = WaldenStack(cluster: stage.cluster, walden: stage.walden)
        try stack.waitUntilApplied()
        let staleBefore = truth.stale.value
        let reader = try stage.walden.connect()
        try reader.prepare("read", "SELECT abalance FROM pgbench_accounts WHERE aid = $1")
        for _ in 0..<2 {
            for row in 0..<truth.ledger.rowCount {
                let seen = try reader.execute(prepared: "read", ["\(row + 1)"]).texts
                truth.judge(seen, equals: [["\(truth.ledger.lastVersion(of: row))"]], "account \(row + 1) at the end")
            }
        }
        let expected = try stage.cluster.primary.connect().query(aggregate).texts
        truth.judge(try reader.query(aggregate).texts, equals: expected, "the aggregate at the end")
        let count = Show.number(Double(truth.ledger.rowCount), places: 0)
        let stale = truth.stale.value - staleBefore
        Show.line("\(count) accounts and the aggregate read again through Walden: \(stale) stale")
    }
}

private func timed<Value>(_ work: () throws -> Value) rethrows -> (Value, Duration) {
    let started = ContinuousClock.now
    let value = try work()
    return (value, ContinuousClock.now - started)
}
