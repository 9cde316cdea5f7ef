public import WaldenCore

/// How often nodes are looked at: densely while reads are routed, seldom while there are none, early when a read was
/// refused because its replica was not known to be fresh enough.
public struct SamplingPace: Hashable, Sendable {
    /// While there is traffic.
    public var interval = Duration.milliseconds(100)
    /// While there is none.
    public var idleInterval = Duration.seconds(1)
    /// Since its last read, traffic counts as such for this long.
    public var activeFor = Duration.seconds(5)
    /// Shortest time between the beginnings of two looks.
    public var spacing = Duration.milliseconds(1)

    private var lastReadAt = Instant.distantPast
    /// A newer look at the primary than this is wanted.
    private var primaryWantedAt = Instant.distantPast
    /// The newest look at the primary that was answered was asked for then.
    private var primaryAskedAt = Instant.distantPast
    /// A newer look at the replicas than this is wanted: first the primary says where its log ends, then it is worth
    /// asking them.
    private var replicasWantedAt = Instant.distantPast
    /// Requests that wait for a replica to catch up.
    private var waiting = 0
    /// Requests that wait for the primary to show what a replica has shown.
    private var settling = 0

    public init() {}

    // MARK: Events

    /// - Returns: Whether that ends a time without traffic, so that whoever sleeps until the next look must be woken.
    public mutating func readRouted(_ now: Instant) -> Bool {
        let wasIdle = !isActive(now)
        lastReadAt = max(lastReadAt, now)
        return wasIdle
    }

    /// A read found no replica fresh enough.
    ///
    /// - Returns: Whether the primary's monitor must be woken. While an earlier wish is unanswered it is awake, and looks
    ///   for new ones when it has its answer.
    public mutating func lookWanted(_ now: Instant) -> Bool {
        let isAnswered = primaryWantedAt <= primaryAskedAt
        primaryWantedAt = max(primaryWantedAt, now)
        return isAnswered
    }

    /// A look at one replica is wanted, whatever the primary does.
    public mutating func replicaLookWanted(_ now: Instant) {
        replicasWantedAt = max(replicasWantedAt, now)
    }

    public mutating func waitersChanged(to count: Int) {
        waiting = count
    }

    public mutating func settlersChanged(to count: Int) {
        settling = count
    }

    /// The primary has answered a question sent at `asked`.
    ///
    /// - Returns: Whether the monitors of the replicas must be woken.
    public mutating func primarySampled(askedAt asked: Instant, now: Instant) -> Bool {
        let answersWish = primaryWantedAt > primaryAskedAt && asked >= primaryWantedAt
        primaryAskedAt = max(primaryAskedAt, asked)
        if answersWish { replicasWantedAt = max(replicasWantedAt, now) }
        return answersWish
    }

    // MARK: Answers

    public func isActive(_ now: Instant) -> Bool {
        lastReadAt > .distantPast && now.elapsed(since: lastReadAt) < activeFor
    }

    /// The interval in force.
    public func interval(_ now: Instant) -> Duration { isActive(now) ? interval : idleInterval }

    /// When the node that was last asked at `asked` is to be asked again.
    public func next(after asked: Instant, isPrimary: Bool, now: Instant) -> Instant {
        let isWanted =
            isPrimary ? max(asked, primaryAskedAt) < primaryWantedAt : waiting > 0 || asked < replicasWantedAt
        return asked + (isWanted || settling > 0 ? spacing : interval(now))
    }
}
