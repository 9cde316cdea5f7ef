public import WaldenCore

/// What the machine is told.
public enum FailoverFact: Hashable, Sendable {
    case reported(NodeID, NodeReport)
    /// An attempt to connect to the node, or to ask it, ended so.
    case contacted(NodeID, Contact)
    /// The session at the primary answered.
    case sessionAnswered
    case sessionBroke
    case heartbeatBegun(HeartbeatKind)
    case heartbeatAcknowledged(HeartbeatKind, end: LSN)
    case heartbeatFailed(HeartbeatKind)
    case requested(FailoverRequest)
}

/// What people order.
public enum FailoverRequest: Hashable, Sendable {
    case switchover(to: NodeID?)
    /// Go on although acknowledged commits may be lost.
    case force
    case pause
    case resume
}

public enum FailoverAction: Hashable, Sendable {
    /// To be written and fsynced, then told by `recorded`. Nothing else happens until then.
    case record(JournalRecord)
    /// To be carried out, then told by `answered`.
    case perform(Order)
    /// A row was taken: for logs, hooks and the list of incidents.
    case note(FailoverNote)
}

/// A row taken, with what it was taken for.
public struct FailoverNote: Hashable, Sendable {
    public let row: Int
    public let from: FailoverState
    public let to: FailoverState
    public let term: Term
    public let primary: NodeID
    public let finding: Finding
    public let reason: String
    public let details: [String]
    /// The one that the row begins, goes on with or ends.
    public let incident: Incident?
    /// When the primary of before the row last answered; nil: it never has.
    public let primarySeenAt: Instant?
}
