/// What a hit promises beyond being exact at some state of the database. Ordered from the weakest to the strictest.
public enum ConsistencyLevel: UInt8, Hashable, Sendable, Comparable, CaseIterable {
    /// At most `max_staleness` behind, and never before the session's own last write.
    case bounded = 1
    /// Also never before anything that the session has seen.
    case session = 2
    /// Also never before the request: linearizable.
    case strict = 3

    public static func < (left: ConsistencyLevel, right: ConsistencyLevel) -> Bool {
        left.rawValue < right.rawValue
    }

    /// As settings and hints spell it.
    public var name: String {
        switch self {
        case .bounded: "bounded"
        case .session: "session"
        case .strict: "strict"
        }
    }

    /// Nil for any other word. Letters of either case.
    public init?(name: String) {
        let lower = name.lowercased()
        guard let level = Self.allCases.first(where: { $0.name == lower }) else { return nil }
        self = level
    }
}

/// What one request demands of a hit: it must show all that was visible at an instant, which depends on the level.
public struct FreshnessNeeds: Hashable, Sendable {
    /// The request's level, unless the statement names its own.
    public let level: ConsistencyLevel
    public let bounded: Instant
    public let session: Instant
    public let strict: Instant

    /// - Parameters:
    ///   - wroteAt: When the session's last write ended.
    ///   - sawAt: When the session was last shown what the primary had.
    ///   - arrivedAt: When the request was read, or later.
    public init(level: ConsistencyLevel, wroteAt: Instant, sawAt: Instant, arrivedAt: Instant) {
        self.level = level
        bounded = wroteAt
        session = max(wroteAt, sawAt)
        strict = max(wroteAt, sawAt, arrivedAt)
    }

    /// The same instant at every level.
    public init(notOlderThan instant: Instant) {
        level = .bounded
        bounded = instant
        session = instant
        strict = instant
    }

    /// - Parameter own: The level that the statement itself names.
    @inlinable
    public func instant(_ own: ConsistencyLevel? = nil) -> Instant {
        switch own ?? level {
        case .bounded: bounded
        case .session: session
        case .strict: strict
        }
    }
}
