public import WaldenCore

/// Which standbys acknowledge a commit, and what follows from it: the arithmetic on which every promotion rests.
///
/// With k of n (`ANY k (…)`, or `FIRST k (…)`, under which any k of the n may have been the ones) each acknowledged commit
/// is held by k members. Take any n−k+1 members: only k−1 are left, so at least one of those taken holds the commit, and
/// with only k−1 left nothing more can be acknowledged. Hence two conclusions from one count:
///
/// - once n−k+1 members are severed from the primary, it acknowledges nothing more;
/// - the most advanced of them holds every commit that was acknowledged, since a log is a prefix of what follows it.
public struct SynchronousRule: Hashable, Sendable, Codable {
    /// k, 1 … n.
    public let required: Int
    /// n of them, by address.
    public let members: Set<NodeID>

    /// Throws when no commit could ever be acknowledged (k > n), or k is below 1.
    public init(required: Int, of members: Set<NodeID>) throws(StandbyNamesProblem) {
        guard required >= 1 else { throw .requiresNobody }
        guard required <= members.count else { throw .requiresMore(required, than: members.count) }
        self.required = required
        self.members = members
    }

    /// n − k + 1, 1 … n.
    public var severedRequired: Int { members.count - required + 1 }

    /// Whether the primary can acknowledge nothing any more, and the most advanced of these holds all it did.
    public func isProven(bySevered severed: Set<NodeID>) -> Bool {
        severed.intersection(members).count >= severedRequired
    }

    /// Whether commits could be acknowledged while just these standbys receive.
    public func canAcknowledge(with receiving: Set<NodeID>) -> Bool {
        receiving.intersection(members).count >= required
    }
}

/// The rules under which commits may have been acknowledged that are not known to be held by the newest rule's members.
///
/// When `synchronous_standby_names` changes, what was acknowledged under the old rule is only proven by the old rule, until
/// as many members of the new one as it requires are seen to hold the log up to a place from after the change. Until then
/// both rules must be proven. That a commit is acknowledged would not do: it does not say by which rule, and that may have
/// changed again.
public struct SynchronousRules: Hashable, Sendable, Codable {
    /// Nil: commits wait for nobody.
    public private(set) var current: SynchronousRule?
    /// Older rules that still count, oldest first; nil stands for a time in which nobody was waited for.
    public private(set) var outgoing: [SynchronousRule?] = []
    /// Rules remembered at most; more changes than that between two acknowledged commits forbid a proof.
    public static let capacity = 8

    public init(_ current: SynchronousRule?) {
        self.current = current
    }

    /// The primary reports its rule.
    public mutating func reported(_ rule: SynchronousRule?) {
        guard rule != current else { return }
        if !outgoing.contains(current) { outgoing.append(current) }
        outgoing.removeAll { $0 == rule }
        current = rule
    }

    /// All that older rules acknowledged is held by these.
    public mutating func held(by holders: Set<NodeID>) {
        guard let current, current.canAcknowledge(with: holders) else { return }
        outgoing.removeAll()
    }

    /// Commits were acknowledged, or may have been before anybody looked, that no standby need hold.
    public var countNobody: Bool { current == nil || outgoing.contains(nil) }

    /// Whether those severed prove that nothing acknowledged is lost.
    public func isProven(bySevered severed: Set<NodeID>) -> Bool {
        guard !countNobody, outgoing.count < Self.capacity else { return false }
        return all.allSatisfy { $0.isProven(bySevered: severed) }
    }

    /// Every rule that counts.
    public var all: [SynchronousRule] { (outgoing + [current]).compactMap(\.self) }

    /// Members of every rule that counts.
    public var members: Set<NodeID> { all.reduce(into: []) { $0.formUnion($1.members) } }
}
