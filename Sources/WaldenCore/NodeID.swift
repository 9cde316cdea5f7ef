/// A server of the cluster, by its place in the configuration: the node named `primary` is 0, those under `replicas`
/// follow. It names an address, not a role: which node is the primary may change.
public struct NodeID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let index: Int

    public init(_ index: Int) {
        self.index = index
    }

    /// The node that the configuration names as primary.
    public static let configuredPrimary = NodeID(0)

    public static func < (left: NodeID, right: NodeID) -> Bool { left.index < right.index }

    public var description: String { index == 0 ? "primary" : "replica\(index)" }
}
