public import WaldenCore

/// One kind of heartbeat: a small transaction at intervals, and when which was acknowledged.
///
/// A message begun at one moment and acknowledged at a later one proves that the primary could write at some moment
/// between. So what has stalled is measured from the beginning of the oldest one not acknowledged.
public struct Heartbeat: Hashable, Sendable {
    /// Of the one under way.
    public private(set) var begunAt: Instant?
    /// Of the newest acknowledged one, when it began.
    public private(set) var provenAt: Instant?

    public init() {}

    public mutating func begun(at now: Instant) {
        if begunAt == nil { begunAt = now }
    }

    public mutating func acknowledged() {
        provenAt = begunAt ?? provenAt
        begunAt = nil
    }

    /// It failed: its outcome is not known, and the next begins anew.
    public mutating func failed() {
        begunAt = nil
    }

    /// How long the one under way has waited.
    public func stalled(at now: Instant) -> Duration {
        begunAt.map { now.elapsed(since: $0) } ?? .zero
    }
}
