/// What the views are made of, besides the connections. Each is asked when it is shown, from any thread, and answers
/// without waiting for anything.
public protocol ConsoleSource: Sendable {
    var version: String { get }
    /// The databases that are configured; the others that clients use are found by their connections.
    var databases: [DatabaseRow] { get }
    /// Client connections allowed at the same time.
    var clientLimit: Int { get }
    var averages: TrafficAverages { get }
    var config: [ConfigRow] { get }
    var memory: [MemoryRow] { get }
    /// The primary first.
    var replicas: [ReplicaRow] { get }
    var lag: [LagRow] { get }
    /// Oldest first.
    var lagHistory: [LagHistoryRow] { get }
    var cache: [FigureRow] { get }
    /// Those that have saved most.
    var shapes: [ShapeRow] { get }
    var routes: [RouteRow] { get }
    /// By number.
    var peers: [PeerRow] { get }
}
