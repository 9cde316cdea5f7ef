public import WaldenCore

/// What the loop's pool is told, and what it answers.
extension LoopPool {
    /// What a client that wants a link is told.
    public enum Arrival: Hashable, Sendable {
        /// The link is the client's.
        case lend(LinkID)
        /// The client waits; test this link, then say `linkReady` or `preparingLinkClosed`.
        case test(LinkID)
        /// The client waits; no link that rests suits it. Close this one: one that does takes its place.
        case replace(LinkID)
        /// The client waits; act on `demand` if there is one.
        case wait
        /// No link can be had at present, for the reason noted by the last `openFailed`.
        case refuse
    }

    /// What is to happen with a link that nobody uses.
    public enum Readiness: Hashable, Sendable {
        /// The link is the waiting client's.
        case lend(LinkID, to: WaiterID)
        case rest
        case close
    }

    /// What is due by the clock.
    public struct Due: Hashable, Sendable {
        /// Clients that have waited too long; they wait no more.
        public var expired: [WaiterID] = []
        /// Clients that are to be told why no server can be reached; they wait no more.
        public var refused: [WaiterID] = []
        /// Links to be closed; they are no longer counted as idle but as preparing until `preparingLinkClosed`.
        public var closing: [LinkID] = []

        public init() {}
    }

    /// Why no link came into being.
    public enum OpenFailure: Hashable, Sendable {
        /// The server said that it has no place, or is starting: clients wait for the next attempt.
        case passing
        /// The server was not reached. Clients whose session is established wait for the next attempts, for
        /// `PoolTimes.outage` at most; nothing of what they ask has been sent anywhere.
        case outage
        /// The server refused the login: clients are refused, too, until the next attempt.
        case refusal
    }

    /// How urgently the loop wants one more slot.
    public enum Demand: Hashable, Sendable {
        case none
        case ordinary(since: Instant)
        /// Nothing but a slot can serve the client soon.
        case pressing(since: Instant)
    }
}
