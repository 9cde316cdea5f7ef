import WaldenCore
import WaldenFailover

/// What the sentinel's threads tell it. Facts about the primary name the node that they were learned at: of one that has
/// been replaced meanwhile they are worth nothing.
enum SentinelEvent: Sendable {
    /// What is known of any node, at the moment it was learned.
    case learned(FailoverFact, at: Instant)
    /// What counts only while `NodeID` is the primary.
    case ofPrimary(NodeID, FailoverFact, at: Instant)
    case answered(id: UInt64, StepOutcome)
    /// A session at the node that watches it has begun.
    case sessionBegan(NodeID, at: Instant)
    /// A process that receives the log at a standby has been seen for the first time: one lives as long as its connection.
    case receiverBegan(NodeID, at: Instant)
    /// The node is about to be promoted, and gives identifiers below this one to no transaction of its own.
    case promoting(NodeID, Term, nextTransaction: TransactionID)
}
