/// Intervals and budgets of the sentinel.
public struct FailoverTimings: Hashable, Sendable {
    /// Between heartbeats; 50 ms … 10 s.
    public var heartbeat = Duration.milliseconds(250)
    /// A primary that has not been heard of for so long is suspected; three heartbeats.
    public var silence = Duration.milliseconds(750)
    /// Facts older than this are none.
    public var freshness = Duration.milliseconds(1_000)
    /// How long a crash is waited for to mend itself where nothing proves that no commit is lost.
    public var restartGrace = Duration.seconds(1)
    /// How long silence must last once it is proven.
    public var confirmation = Duration.seconds(1)
    public var writeStall = Duration.seconds(10)
    public var quorumStall = Duration.seconds(2)
    /// Fail over when new connections hang for so long; nil: never.
    public var hungAccept: Duration?

    /// What a takeover (`FailoverEstimate`) is taken to last until one was measured: 0.2 s, which PostgreSQL 15 needs on one
    /// machine (`SentinelControlTests` prints it), and 0.1 s for the slot.
    public var typicalTakeover = Duration.milliseconds(300)

    // Budgets of states (see TransitionTable).
    public var discovery = Duration.seconds(10)
    public var hold = Duration.seconds(30)
    public var sever = Duration.seconds(2)
    /// Standbys that the proof does not need are waited for so long.
    public var severOthers = Duration.milliseconds(200)
    public var census = Duration.milliseconds(500)
    public var fence = Duration.seconds(10)
    public var promotion = Duration.seconds(30)
    public var opening = Duration.seconds(5)
    public var switchover = Duration.seconds(10)
    public var abort = Duration.seconds(10)
    /// Between automatic failovers, unless the new primary has crashed.
    public var cooldown = Duration.seconds(600)
    /// A sentinel that was away for longer knows nothing of the rule in force when it finds a dead primary.
    public var memory = Duration.seconds(60)
    /// An order of people that no row could take for so long is forgotten.
    public var orderPatience = Duration.seconds(2)
    /// A step that has not been answered for so long is tried again.
    public var stepTimeout = Duration.seconds(2)
    /// Between two tries of a step that failed.
    public var stepRetry = Duration.milliseconds(200)

    public init() {}
}
