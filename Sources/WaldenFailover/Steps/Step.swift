public import WaldenCore

/// One side effect. Each is idempotent, and is tried until it succeeds or its state ends.
public enum Step: Hashable, Sendable, Codable {
    /// Proxies park new work for the primary.
    case hold
    /// Done when no statement is under way at the primary any more.
    case drain
    /// `CHECKPOINT` there.
    case checkpoint(NodeID)
    /// `primary_conninfo` cleared and reloaded.
    case sever(NodeID)
    /// `primary_conninfo` set to the primary and reloaded.
    case follow(NodeID)
    /// Proxies serve the primary of this term only.
    case raiseTerm
    /// Proxies close their server connections to that node.
    case closeConnections(NodeID)
    /// The operator's own fence. Refused means a veto.
    case fenceHook(NodeID)
    /// The candidate's `synchronous_standby_names`, before it can write.
    case setSynchronousNames(NodeID)
    /// `pg_promote(wait => false)`.
    case promote(NodeID)
    /// The stream's logical slot, before traffic.
    case createSlot(NodeID)
    /// The cache begins anew: nothing from before is served again.
    case beginEpoch
    /// Parked work goes on, paced.
    case release
    /// The agent stops the node, rewinds or reclones it, and starts it as a standby.
    case rejoin(NodeID)

    /// Where it is taken, or which node it is about; nil: the proxies as a whole.
    public var node: NodeID? {
        switch self {
        case .checkpoint(let node), .sever(let node), .follow(let node), .closeConnections(let node),
            .fenceHook(let node), .setSynchronousNames(let node), .promote(let node), .createSlot(let node),
            .rejoin(let node):
            node
        case .hold, .drain, .raiseTerm, .beginEpoch, .release: nil
        }
    }

    /// Its name in logs and metrics.
    public var name: String {
        switch self {
        case .hold: "hold"
        case .drain: "drain"
        case .checkpoint: "checkpoint"
        case .sever: "sever"
        case .follow: "follow"
        case .raiseTerm: "raise_term"
        case .closeConnections: "close_connections"
        case .fenceHook: "fence_hook"
        case .setSynchronousNames: "set_synchronous_names"
        case .promote: "promote"
        case .createSlot: "create_slot"
        case .beginEpoch: "begin_epoch"
        case .release: "release"
        case .rejoin: "rejoin"
        }
    }
}

/// A step to be taken, with what it needs to know.
public struct Order: Hashable, Sendable {
    /// Names this try; the answer carries it.
    public let id: UInt64
    public let term: Term
    public let step: Step
    /// Whom nodes are to follow and proxies to serve.
    public let primary: NodeID
    /// For `setSynchronousNames`; nil: none.
    public let rule: SynchronousRule?
}

public enum StepOutcome: Hashable, Sendable {
    case done
    /// It may or may not have happened; it is tried again.
    case failed(String)
    /// It will not be done, whoever asks: a veto, or missing rights.
    case refused(String)
}
