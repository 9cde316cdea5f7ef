public import WaldenCore

/// A node as a place for reads.
public struct RoutableNode: Hashable, Sendable {
    public let id: NodeID
    /// Its share of the work beside the others'; 0: none. The primary's is 0 by default.
    public internal(set) var weight: Int
    public var standby: StandbyStanding
    /// Without another answer by then it counts as silent.
    public var answersUntil = Instant.distantPast
    /// Requests that it is working on.
    public var outstanding = 0

    public init(id: NodeID, weight: Int) {
        self.id = id
        self.weight = max(0, weight)
        standby = .unknown(id)
    }

    /// Whether reads may go there at all.
    func isUsable(_ now: Instant) -> Bool {
        guard weight > 0, now <= answersUntil, case .covered = standby.standing else { return false }
        return true
    }

    /// The moment that the node must cover to serve the request.
    func demand(_ request: RouteRequest) -> Instant {
        let oldest = request.maxLag.map { request.now - $0 } ?? .distantPast
        return max(seen(request), oldest)
    }

    /// Without the bound on its age.
    func seen(_ request: RouteRequest) -> Instant {
        guard let last = request.lastRead else { return request.needs }
        // What it has shown it still shows, if it has not been restarted meanwhile.
        if last.node == id, last.endedAt >= standby.availableSince { return request.needs }
        return max(request.needs, last.endedAt)
    }

    func follows(within lag: Duration, _ now: Instant) -> Bool {
        isUsable(now) && !standby.isReplayPaused && standby.lag <= lag
    }

    func covers(_ instant: Instant, through position: LSN = .zero) -> Bool {
        guard case .covered(let covered) = standby.standing, covered >= instant else { return false }
        return position == .zero || standby.replayed.map { $0 >= position } ?? false
    }

    /// Less work for its weight than another one has.
    func isFreer(than other: RoutableNode) -> Bool {
        (outstanding + 1) * other.weight < (other.outstanding + 1) * weight
    }
}

/// Decides where a read runs: on the node with the least work of those that have applied all that it must show, else on
/// the primary, or later.
///
/// The one rule: a read goes to a replica only if the replica covers the moment that the request demands. All else is
/// about load and patience.
public struct Router: Sendable {
    public var isOn: Bool
    /// In the order of the configuration.
    public private(set) var nodes: [RoutableNode]
    /// Who has the role now.
    public private(set) var primary: NodeID
    /// Counts decisions, so that equals take turns.
    private var turn: UInt64 = 0
    private var version: UInt64 = 0

    public init(isOn: Bool, nodes: [RoutableNode], primary: NodeID = .configuredPrimary) {
        self.isOn = isOn
        self.nodes = nodes
        self.primary = .configuredPrimary
        if primary != self.primary { primaryChanged(to: primary, knownSince: 0) }
    }

    // MARK: Events

    /// What is known of the standbys has changed. Older knowledge than the newest is ignored.
    public mutating func standingsChanged(_ new: Standings) {
        guard new.version > version else { return }
        version = new.version
        for standby in new.standbys { update(standby.node) { $0.standby = standby } }
    }

    /// The node is the primary from now on. Weights belong to roles, so the two nodes exchange theirs; and nothing that was
    /// known of standbys holds any more.
    ///
    /// - Parameter version: The newest of what is known by the old primary's log.
    public mutating func primaryChanged(to node: NodeID, knownSince version: UInt64) {
        guard node != primary, let new = nodes.firstIndex(where: { $0.id == node }),
            let old = nodes.firstIndex(where: { $0.id == primary })
        else { return }
        let weight = nodes[old].weight
        nodes[old].weight = nodes[new].weight
        nodes[new].weight = weight
        primary = node
        self.version = max(self.version, version)
        for index in nodes.indices {
            nodes[index].standby = .unknown(nodes[index].id)
            nodes[index].answersUntil = .distantPast
        }
    }

    /// The node has answered; it counts as silent when it does not answer again by `until`.
    public mutating func answered(_ id: NodeID, until: Instant) {
        update(id) { $0.answersUntil = max($0.answersUntil, until) }
    }

    /// The node has not answered.
    public mutating func lost(_ id: NodeID) {
        update(id) { $0.answersUntil = .distantPast }
    }

    /// From now on all nodes are looked at more often: whoever does not answer by `until` is silent.
    public mutating func answersExpected(by until: Instant) {
        for index in nodes.indices { nodes[index].answersUntil = min(nodes[index].answersUntil, until) }
    }

    private func node(_ id: NodeID) -> RoutableNode? { nodes.first { $0.id == id } }

    private mutating func update(_ id: NodeID, _ change: (inout RoutableNode) -> Void) {
        guard let index = nodes.firstIndex(where: { $0.id == id }) else { return }
        change(&nodes[index])
    }

    /// A request was sent to the node.
    public mutating func began(_ id: NodeID) {
        update(id) { $0.outstanding += 1 }
    }

    /// It was answered, or will never be.
    public mutating func ended(_ id: NodeID) {
        update(id) { $0.outstanding = max(0, $0.outstanding - 1) }
    }

    /// Whether a replica that can be used meets the demand.
    public func someReplicaMeets(_ demand: CoverageDemand, _ now: Instant) -> Bool {
        nodes.contains {
            $0.id != primary && $0.isUsable(now) && $0.covers(demand.instant, through: demand.position)
        }
    }

    /// Whether some replica was so close at the last look that it may have caught up since.
    public func someReplicaFollows(within lag: Duration, _ now: Instant) -> Bool {
        nodes.contains { $0.id != primary && $0.follows(within: lag, now) }
    }

    /// Why no read may go to the replica; nil when reads may, as far as it covers what they demand.
    public func obstacle(of id: NodeID, _ now: Instant) -> NodeStanding.Obstacle? {
        guard let node = node(id), id != primary else { return nil }
        if case .unusable(let obstacle) = node.standby.standing { return obstacle }
        return now <= node.answersUntil ? nil : .silent
    }

    // MARK: Positions

    /// What the node has replayed and what it covers by that; nil while no read may go there.
    public func position(of id: NodeID) -> (replayed: LSN, covering: Instant)? {
        guard let node = node(id), let replayed = node.standby.replayed,
            case .covered(let covering) = node.standby.standing
        else { return nil }
        return (replayed, covering)
    }

    /// How far the slowest replica is that reads may go to; nil when they may go to none.
    public var slowestReplayed: LSN? {
        guard isOn else { return nil }
        return nodes.filter { $0.id != primary && $0.weight > 0 }
            .compactMap { position(of: $0.id)?.replayed }.min()
    }

    // MARK: Decisions

    public mutating func decide(_ request: RouteRequest) -> RouteDecision {
        let decision = place(request)
        guard case .primary = decision, !request.hasWaited, request.settling > .zero, let last = unsettled(request),
            isTold(of: last)
        else { return decision }
        return .settle(last, deadline: request.now + request.settling)
    }

    private mutating func place(_ request: RouteRequest) -> RouteDecision {
        guard isOn || request.fallback == .none else { return .primary(.off) }
        if request.preference == .primary, request.fallback == .primary { return .primary(.preferred) }
        turn &+= 1
        let primary: RoutableNode? = request.preference == .auto && request.fallback == .primary ? ownShare : nil
        if let (node, reason) = replica(for: request) {
            if let primary, primary.isFreer(than: node), unsettled(request) == nil { return .primary(.balanced) }
            return .replica(node.id, reason)
        }
        if primary == nil, let wait = wait(for: request) { return wait }
        let reason = primary == nil ? obstacle(to: request) : .balanced
        return request.fallback == .primary ? .primary(reason) : .refused(reason)
    }

    /// What a replica has shown to the session, if the primary is not known to show as much.
    public func unsettled(_ request: RouteRequest) -> RouteRequest.LastRead? {
        request.lastRead.flatMap { isSettled($0) ? nil : $0 }
    }

    /// Whether the primary is known to show what the read has shown, or that is of no interest any more.
    public func isSettled(_ last: RouteRequest.LastRead) -> Bool {
        guard !last.isSettled, last.node != primary, let node = node(last.node) else { return true }
        // What a server shows after a restart tells nothing of what it showed before.
        return last.endedAt >= node.standby.availableSince && last.endedAt <= node.standby.settled
    }

    /// Whether looks can be expected to tell when the read is settled.
    public func isTold(of last: RouteRequest.LastRead) -> Bool {
        guard let standby = node(last.node)?.standby, case .covered = standby.standing else { return false }
        return last.endedAt >= standby.availableSince
    }

    /// The primary, if it takes a share of the reads that replicas could serve.
    private var ownShare: RoutableNode? {
        nodes.first { $0.id == primary && $0.weight > 0 }
    }

    private func replica(for request: RouteRequest) -> (RoutableNode, RouteReason)? {
        func mayServe(_ node: RoutableNode) -> Bool {
            node.id != primary && request.admits(node.id) && node.isUsable(request.now)
                && node.covers(node.demand(request), through: request.shown)
        }
        var best: RoutableNode?
        var equals = 0
        for node in nodes where mayServe(node) {
            guard let known = best, !node.isFreer(than: known) else {
                best = node
                equals = 1
                continue
            }
            if !known.isFreer(than: node) { equals += 1 }
        }
        guard var best else { return nil }
        // Of equals the one whose turn it is.
        var rank = Int(turn % UInt64(equals))
        for node in nodes where mayServe(node) && !best.isFreer(than: node) {
            if rank == 0 {
                best = node
                break
            }
            rank -= 1
        }
        let isOnlyChoice = request.lastRead.map { !best.covers($0.endedAt) } ?? false
        return (best, isOnlyChoice ? .sticky : .balanced)
    }

    /// A wait is worth it only for a node that follows closely enough to get there in time.
    private func wait(for request: RouteRequest) -> RouteDecision? {
        guard request.patience > .zero else { return nil }
        let followers = nodes.filter {
            $0.id != primary && request.admits($0.id) && $0.follows(within: request.patience, request.now)
        }
        guard let instant = followers.map({ $0.demand(request) }).min() else { return nil }
        return .wait(
            for: CoverageDemand(instant, through: request.shown), deadline: request.now + request.patience)
    }

    private func obstacle(to request: RouteRequest) -> RouteReason {
        let replicas = nodes.filter { $0.id != primary && $0.weight > 0 }
        if replicas.isEmpty { return .noReplica }
        let usable = replicas.filter { request.admits($0.id) && $0.isUsable(request.now) }
        if usable.isEmpty { return .unusable }
        if usable.contains(where: { $0.covers($0.seen(request), through: request.shown) }) { return .maxLag }
        return request.hasWaited ? .overdue : .notCovered
    }
}
