import Synchronization
public import WaldenCore
import WaldenDependency

extension Engine {
    /// Why a miss is not to fill the cache although it could.
    mutating func refusal(
        by shape: ShapeHandle, _ policy: StatementPolicy?, isAudit: Bool, now: Instant
    ) -> FillRefusal? {
        if shapes[shape]?.isQuarantined ?? false { return .quarantined }
        switch policy?.rule?.caching ?? .auto {
        case .forbid: return .forbidden
        case .force: return nil
        case .auto: break
        }
        guard configuration.judgesBenefit, shape != .none, !isAudit else { return nil }
        return shapes.admitsMiss(shape, now: now) ? nil : .doesNotPay
    }

    /// How a fill under this policy is to be kept.
    func terms(
        of shape: ShapeHandle, _ policy: StatementPolicy?, level: ConsistencyLevel?, isAudit: Bool, now: Instant
    ) -> FillBook.Terms {
        var terms = FillBook.Terms(
            shape: shape, maxBytes: configuration.maxResultBytes, entry: EntryTerms(level: level))
        terms.audit = policy?.audit ?? .none
        terms.isAudit = isAudit
        guard let rule = policy?.rule else { return terms }
        if let age = rule.maxAge { terms.entry.expiresAt = now + age }
        if let bytes = rule.maxResultBytes { terms.maxBytes = min(terms.maxBytes, bytes) }
        return terms
    }

    /// Where a request is charged; one that is sent for an audit is no miss.
    mutating func account(of policy: StatementPolicy?, isAudit: Bool) -> ShapeHandle {
        guard let policy else { return .none }
        return isAudit ? shapes.handle(of: policy.shape.id) ?? .none : shapes.missed(policy.shape)
    }

    /// Drops the entry of a key whose statement has a bound on age, if it is past it. Other statements' never are.
    mutating func dropExpired(
        _ key: [UInt8], hash: UInt64, _ policy: StatementPolicy?, now: Instant, shards: borrowing ShardSet
    ) {
        guard policy?.rule?.maxAge != nil else { return }
        let expired = shards.withShard(shards.number(of: hash)) { $0.removeExpired(key, hash: hash, now: now) }
        guard let expired else { return }
        counters.invalidations[.expired] += 1
        shapes.dropped(entries[expired].shape, .expired)
        removeFromIndex(expired)
    }
}

extension Taint {
    /// Whether it tells something of the shape: the others come over all alike.
    var isOfShape: Bool {
        switch self {
        case .row, .unknownOldRow, .wholeRelation, .recentTransaction, .recentListOverflow, .crowdedOut: true
        case .catalogChanged, .gap, .flush, .quarantined: false
        }
    }
}

/// What is known of one statement shape.
public struct ShapeFigures: Hashable, Sendable {
    public let id: ShapeID
    /// Without constants.
    public let text: String
    public let hits: UInt64
    public let misses: UInt64
    public let fillsBegun: UInt64
    public let fillsKept: UInt64
    public let fillsTainted: UInt64
    /// Misses that did not fill because that would not have paid.
    public let fillsDeclined: UInt64
    public let dropped: Tally<InvalidationCause>
    /// Means of late.
    public let executionNanoseconds: Double
    public let resultBytes: Double
    /// Time at the server that its hits have saved.
    public let savedNanoseconds: Double
    /// Of late, saving by cost of a fill.
    public let benefit: Double
    public let isDeclined: Bool
    /// An audit found a kept result wrong.
    public let isQuarantined: Bool
}

extension ResultCache {
    /// The shapes whose results have saved most, at most `limit`.
    public func shapes(limit: Int) -> [ShapeFigures] {
        let (accounts, share) = engine.withLock { ($0.shapes.settled(), $0.shapes.probeShare) }
        let best = accounts.sorted {
            $0.savedNanoseconds == $1.savedNanoseconds
                ? $0.misses > $1.misses : $0.savedNanoseconds > $1.savedNanoseconds
        }
        return best.prefix(limit).compactMap { ShapeFigures($0, probeShare: share) }
    }

    /// Nil when no statement of that shape was looked up lately.
    public func shape(_ id: ShapeID) -> ShapeFigures? {
        let (account, share) = engine.withLock { engine in
            (engine.shapes.settled(id), engine.shapes.probeShare)
        }
        return account.flatMap { ShapeFigures($0, probeShare: share) }
    }
}

extension ShapeFigures {
    init?(_ account: ShapeLedger.Account, probeShare: Double) {
        guard let shape = account.shape else { return nil }
        id = shape.id
        text = shape.text
        hits = account.counter.count
        misses = account.misses
        fillsBegun = account.begun
        fillsKept = account.kept
        fillsTainted = account.tainted
        fillsDeclined = account.declined
        dropped = account.dropped
        executionNanoseconds = account.benefit.execution
        resultBytes = account.benefit.bytes
        savedNanoseconds = account.savedNanoseconds
        benefit = account.benefit.ratio(costs: AdmissionCosts(), probeShare: probeShare)
        isDeclined = account.benefit.standing == .declined
        isQuarantined = account.isQuarantined
    }
}
