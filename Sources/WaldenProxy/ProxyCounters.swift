import Synchronization
import WaldenCache

/// Figures of the proxy since it started.
public struct ProxyFigures: Hashable, Sendable {
    public var clients = 0
    public var accepted: UInt64 = 0
    /// Connections closed, by cause.
    public var closed: [String: UInt64] = [:]
    /// Clients that Walden authenticated itself, by result.
    public var authentications: [String: UInt64] = [:]
    /// Units sent to the server without a fill, by reason.
    public var bypasses: [String: UInt64] = [:]
    public var coalesced: UInt64 = 0
    /// BEGINs answered before the server saw them, and ends of transactions that it never saw.
    public var localAnswers: UInt64 = 0
    /// Requests that waited for a fresher cache and were served from it then.
    public var waitsServed: UInt64 = 0
    /// Those that went to the server after all.
    public var waitsInVain: UInt64 = 0
    public var cancelRequests: UInt64 = 0
    /// Those of them that were passed on to another instance.
    public var cancelRequestsForwarded: UInt64 = 0
    /// Those that could have ended a commit's wait for its standbys, so the server was not sent them.
    public var cancelsWithheld: UInt64 = 0
    /// COMMITs that were lost with the primary and whose transaction had a name, by what their clients were told.
    public var commitsInDoubt: [String: UInt64] = [:]
    public var bytesFromClients: UInt64 = 0
    public var bytesFromServers: UInt64 = 0

    public init() {}

    public static func + (left: ProxyFigures, right: ProxyFigures) -> ProxyFigures {
        var sum = left
        sum.clients += right.clients
        sum.accepted += right.accepted
        sum.closed.merge(right.closed, uniquingKeysWith: +)
        sum.authentications.merge(right.authentications, uniquingKeysWith: +)
        sum.bypasses.merge(right.bypasses, uniquingKeysWith: +)
        sum.coalesced += right.coalesced
        sum.localAnswers += right.localAnswers
        sum.waitsServed += right.waitsServed
        sum.waitsInVain += right.waitsInVain
        sum.cancelRequests += right.cancelRequests
        sum.cancelRequestsForwarded += right.cancelRequestsForwarded
        sum.cancelsWithheld += right.cancelsWithheld
        sum.commitsInDoubt.merge(right.commitsInDoubt, uniquingKeysWith: +)
        sum.bytesFromClients += right.bytesFromClients
        sum.bytesFromServers += right.bytesFromServers
        return sum
    }
}

/// Counts what happens on one event loop; only that loop writes, so the lock is free but while figures are read.
final class LoopCounters: Sendable {
    private let figures = Mutex(ProxyFigures())
    /// Which hits are audited.
    let sampler: AuditSampler

    init(sampler: AuditSampler) {
        self.sampler = sampler
    }

    func count(_ change: (inout ProxyFigures) -> Void) {
        figures.withLock { change(&$0) }
    }

    var current: ProxyFigures { figures.withLock { $0 } }
}
