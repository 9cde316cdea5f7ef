import WaldenCore
import WaldenFailover

/// What can happen in the simulated world.
enum Event {
    /// The sentinel looks at all nodes.
    case probesDue(life: Int)
    case heartbeatDue(HeartbeatKind, life: Int)
    case tickDue(life: Int)
    /// A message reaches a node.
    case arrived(Message, at: NodeID)
    /// A message reaches the sentinel of that life.
    case told(FailoverFact, life: Int)
    case answered(id: UInt64, StepOutcome, life: Int)
    case recordWritten(JournalRecord, life: Int)
    /// Log reaches a standby by the connection of that number.
    case logArrived(at: NodeID, from: NodeID, connection: Int)
    /// A standby's word that it has flushed so much reaches its upstream.
    case flushed(Int, by: NodeID, at: NodeID)
    case receiverDue(NodeID)
    case promotionDue(NodeID, run: Int)
    case clientDue
    case fault(Fault)
    case startDue(NodeID)
    case sentinelStarts
}

/// What the sentinel, or a client, sends to a node.
enum Message {
    /// Asked by a new connection or on the session at hand.
    case report(asked: Instant, life: Int)
    case beat(HeartbeatKind, life: Int)
    case order(Order, life: Int)
    case write(Write)
}

/// A client's transaction.
struct Write: Hashable {
    let id: UInt64
    /// Through the proxy, which gives it up when it closes its connections to the node; or past it.
    let isProxied: Bool
    let term: Term
}
