import Logging
import NIOPosix
import Synchronization
import WaldenCache
import WaldenCore
import WaldenFailover
import WaldenPostgres
import WaldenProxy
import WaldenSentinel

/// What this instance does when the role of primary goes from one node to another, as the sentinel orders it.
///
///     hold ─► drain ─► raiseTerm, closeConnections ─► createSlot ─► beginEpoch ─► release
///
/// Until `release` clients are served by nobody; with it everything that knows of a primary has changed over.
final class Succession: SentinelDelegate {
    /// The parts of the instance that know which node is the primary.
    struct Parts: Sendable {
        let proxy: ProxyServer
        let services: PrimaryServices
        let nodes: NodeBoard
        let cache: ResultCache
        let secrets: PrimarySecrets?
        /// By `NodeID.index`.
        let servers: [DSN]
    }

    private struct Promotion {
        let node: NodeID
        let term: Term
        let switchPoint: SwitchPoint
    }

    /// How long one try may take to have the stream run at the new primary.
    private static let slotPatience = Duration.milliseconds(1_500)
    private static let look = Duration.milliseconds(2)

    private let parts: Parts
    private let outreach: FailoverOutreach
    private let log: Logger
    /// For what blocks, one after the other.
    private let thread = NIOThreadPool(numberOfThreads: 1)
    /// Of the promotion ordered last.
    private let promotion = Mutex<Promotion?>(nil)

    init(_ parts: Parts, _ outreach: FailoverOutreach, log: Logger) {
        self.parts = parts
        self.outreach = outreach
        self.log = log
        thread.start()
    }

    func stop() async {
        try? await thread.shutdownGracefully()
        await outreach.finish()
    }

    func noted(_ note: FailoverNote) {
        outreach.tell(note)
    }

    func promoting(
        _ node: NodeID, in term: Term, nextTransaction next: TransactionID, _ sightings: Sightings
    ) {
        guard let since = sightings.oneRun(of: parts.proxy.primary, seenBy: node) else { return }
        let point = SwitchPoint(nextTransaction: next, watchedSince: since)
        promotion.withLock { $0 = Promotion(node: node, term: term, switchPoint: point) }
        log.info(
            "transactions of the old primary are known below the switch point",
            metadata: ["node": "\(node)", "next": "\(next)"])
    }

    func carryOut(_ order: Order, answer: @escaping @Sendable (StepOutcome) -> Void) {
        switch order.step {
        case .hold:
            parts.proxy.hold()
            answer(.done)
        case .drain:
            Task {
                await parts.proxy.drain()
                answer(.done)
            }
        case .raiseTerm:
            answer(parts.proxy.raise(order.term.number) ? .done : .refused("a higher term has been heard of"))
        case .closeConnections(let node):
            parts.proxy.closeConnections(to: node)
            answer(.done)
        case .createSlot(let node): block(answer) { self.stream(at: node) }
        case .beginEpoch: block(answer) { self.beginEpoch(at: order.primary) }
        case .release: block(answer) { self.release(order) }
        case .fenceHook(let node): outreach.fence(order, node, answer: answer)
        case .rejoin(let node): outreach.rejoin(order, node, answer: answer)
        case .sever, .follow, .checkpoint, .setSynchronousNames, .promote:
            answer(.refused("the sentinel does this itself"))
        }
    }

    private func block(
        _ answer: @escaping @Sendable (StepOutcome) -> Void, _ work: @escaping @Sendable () -> StepOutcome
    ) {
        thread.submit { state in
            guard case .active = state else { return answer(.failed("Walden is shutting down")) }
            answer(work())
        }
    }

    // MARK: Steps that block

    /// Done when the new primary's changes are heard of: from then on each finds the results that it concerns.
    private func stream(at node: NodeID) -> StepOutcome {
        if let failure = follow(node) { return failure }
        let deadline = MonotonicClock.now() + Self.slotPatience
        while MonotonicClock.now() < deadline {
            if parts.services.status.state == .streaming { return .done }
            Polling.pause(Self.look)
        }
        return .failed("the stream does not run at the new primary yet: \(parts.services.status.state)")
    }

    private func follow(_ node: NodeID) -> StepOutcome? {
        guard parts.servers.indices.contains(node.index) else { return .refused("there is no \(node)") }
        do throws(PostgresError) {
            try parts.services.follow(node)
            parts.secrets?.primaryChanged(parts.servers[node.index])
            return nil
        } catch {
            return .failed("\(error)")
        }
    }

    /// What was kept may come from commits that the old primary alone had.
    private func beginEpoch(at node: NodeID) -> StepOutcome {
        if let failure = follow(node) { return failure }
        let dropped = parts.cache.flush()
        log.notice("the cache begins a new epoch", metadata: ["entries": "\(dropped)"])
        return .done
    }

    private func release(_ order: Order) -> StepOutcome {
        if let failure = follow(order.primary) { return failure }
        guard parts.proxy.raise(order.term.number) else { return .refused("a higher term has been heard of") }
        let old = parts.proxy.primary
        let version = old == order.primary ? 0 : parts.nodes.primaryChanged(to: order.primary)
        let beginning = promotion.withLock { promotion in
            promotion.flatMap { $0.node == order.primary && $0.term == order.term ? $0.switchPoint : nil }
        }
        guard
            parts.proxy.serve(
                order.primary, term: order.term.number, knownSince: version, beginning: beginning)
        else { return .refused("a higher term has been heard of") }
        if old != order.primary {
            log.notice(
                "clients are served by another primary", metadata: ["old": "\(old)", "new": "\(order.primary)"])
        }
        return .done
    }
}
