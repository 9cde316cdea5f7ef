/// Where reads go, and why. Labels are the words of `RouteReason` and of the rules that keep statements on the primary.
public struct RoutingReport: Hashable, Sendable {
    /// Whether reads may go to replicas.
    public var isOn = false
    public var replica: [String: UInt64] = [:]
    public var primary: [String: UInt64] = [:]
    /// No replica could serve them, and the primary was not to.
    public var refused: [String: UInt64] = [:]
    /// Reads that waited for a replica to catch up.
    public var waited: UInt64 = 0
    /// Reads that waited until the primary showed what a replica had shown to their session.
    public var settled: UInt64 = 0
    /// Reads sent to the primary although that was not known.
    public var unsettled: UInt64 = 0
    /// Those that wait now.
    public var waiting = 0

    public init() {}
}
