import Synchronization
public import WaldenCore
public import WaldenDependency

/// Two results of one statement that must agree, for both are what it returns in the state at one watermark: a kept
/// one that was servable, and one read anew.
///
/// The one read anew is a fill like any other, so it counts only if no transaction that affects it, and that its horizon
/// does not cover, was applied until the watermark had passed a probe begun after its completion. At that moment the
/// kept one, if it is still there, is valid as every servable entry is. So a difference is a fault of the cache, never a
/// matter of timing.
public struct Audit: Sendable {
    public let kept: Payload
    public let read: Payload
    public let grade: AuditGrade
    public let shape: ShapeID
    /// At which both hold.
    public let watermark: LSN
}

extension Engine {
    /// Pairs waiting to be compared. Beyond it an audit is given up.
    static let maxAudits = 64

    /// The key of a finished fill has a servable entry already: if the fill is an audit, they must agree.
    mutating func noteAudit(_ fill: FillBook.Fill, _ result: FillBook.Result, kept: Payload?) {
        guard fill.terms.isAudit, let kept, let shape = shapes[fill.shape]?.shape else { return }
        guard audits.count < Self.maxAudits else {
            counters.auditsGivenUp += 1
            return
        }
        audits.append(
            Audit(
                kept: kept, read: result.payload, grade: fill.terms.audit, shape: shape.id,
                watermark: ledger.watermark))
    }

    /// Nothing of the shape is served or kept from now on.
    mutating func quarantine(_ id: ShapeID, shards: borrowing ShardSet) {
        counters.auditMismatches += 1
        guard let handle = shapes.quarantine(id), shapes.forgotten == 0 else {
            // Entries may be charged to an account that was given up: which, nobody knows.
            _ = dropEverything(.quarantined, .quarantined, shards: shards)
            return
        }
        for slot in 0..<Int32(entries.limit) where entries[slot].shape == handle {
            switch entries[slot].place {
            case .free: continue
            case .fill(let id):
                if fills[id]?.isCompleted ?? false { counters.invalidations[.quarantined] += 1 }
                taintFill(id, .quarantined)
            case .shard(let cell, let number):
                shards.withShard(Int(number)) { $0.remove(cell) }
                counters.invalidations[.quarantined] += 1
            }
            removeFromIndex(slot)
        }
    }
}

/// What a finished fill's payload is to be given: where its hits are counted, and how they are audited.
public struct FillTag: Sendable {
    public let hits: HitCounter
    public let audit: AuditGrade
}

extension ResultCache {
    /// Nil when the statement has no policy.
    public func tag(of id: FillID) -> FillTag? {
        engine.withLock { engine in
            guard let fill = engine.fills[id], let counter = engine.shapes[fill.shape]?.counter else { return nil }
            return FillTag(hits: counter, audit: fill.terms.audit)
        }
    }

    /// The pairs that came together since the last call; each is to be compared and told of in `auditEnded`.
    public func takeAudits() -> [Audit] {
        engine.withLock { engine in
            let audits = engine.audits
            engine.audits = []
            return audits
        }
    }

    /// A difference quarantines the shape until the process ends.
    public func auditEnded(_ audit: Audit, agrees: Bool) {
        event { engine, shards in
            if agrees {
                engine.counters.auditsAgreed += 1
            } else {
                engine.quarantine(audit.shape, shards: shards)
            }
        }
    }
}
