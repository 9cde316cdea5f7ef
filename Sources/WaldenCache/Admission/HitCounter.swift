import Synchronization

/// Counts the hits of one shape's results. Whoever owns a payload bumps it when the payload is served; nothing else of
/// admission is on that path.
public final class HitCounter: Sendable {
    private let value = Atomic<UInt64>(0)

    public init() {}

    public func bump() {
        value.wrappingAdd(1, ordering: .relaxed)
    }

    public var count: UInt64 { value.load(ordering: .relaxed) }
}
