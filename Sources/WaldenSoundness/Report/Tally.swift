import WaldenCache

/// Counts of pairs of a query and a transaction.
struct PairTally: Sendable {
    /// The query's entry was servable when the transaction came.
    var pairs = 0
    /// The transaction changed a row, or truncated, of a relation on which the query depends.
    var touching = 0
    /// Re-running the query gave another answer.
    var changed = 0
    /// The entry was dropped.
    var affected = 0
    /// Dropped, though the answer is the same.
    var needless = 0
    var needlessByCause: [InvalidationCause: Int] = [:]
    /// Still served, though the answer is another.
    var missed = 0

    mutating func add(_ ruling: Ruling, isChanged: Bool) {
        pairs += 1
        if ruling.touches { touching += 1 }
        if isChanged { changed += 1 }
        if ruling.wasDropped { affected += 1 }
        if ruling.wasDropped, !isChanged {
            needless += 1
            if let cause = ruling.cause { needlessByCause[cause, default: 0] += 1 }
        }
        if !ruling.wasDropped, isChanged { missed += 1 }
    }

    static func + (left: PairTally, right: PairTally) -> PairTally {
        var sum = left
        sum.pairs += right.pairs
        sum.touching += right.touching
        sum.changed += right.changed
        sum.affected += right.affected
        sum.needless += right.needless
        sum.needlessByCause.merge(right.needlessByCause, uniquingKeysWith: +)
        sum.missed += right.missed
        return sum
    }
}

/// All that a run counts.
struct RunTally: Sendable {
    struct Class: Hashable, Sendable {
        let shape: QueryShape
        let hasFullIdentity: Bool
    }

    var classes: [Class: PairTally] = [:]
    var worlds = 0
    var transactions = 0
    /// Transactions that the server refused as a whole.
    var refusedTransactions = 0
    var queries = 0
    /// Statements that the server refused; replaced.
    var invalid = 0
    /// Statements that analysis refused, by rule; replaced.
    var uncacheable: [String: Int] = [:]
    /// Answers that the cache did not keep.
    var unkept = 0
    /// Of the caches with each other, or with the plain reading of the dependencies.
    var contradictions = 0

    func sum(where fits: (Class) -> Bool = { _ in true }) -> PairTally {
        classes.filter { fits($0.key) }.values.reduce(PairTally(), +)
    }

    var hasFailed: Bool { sum().missed > 0 || contradictions > 0 }
}
