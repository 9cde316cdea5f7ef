import WaldenCore

/// Who reaches whom. Node −1 is the sentinel's host, which is also the proxy's.
struct Network {
    static let sentinel = NodeID(-1)

    private struct Way: Hashable {
        let from: NodeID
        let to: NodeID
    }

    private var cut: Set<Way> = []

    func carries(from: NodeID, to: NodeID) -> Bool { !cut.contains(Way(from: from, to: to)) }

    func carries(between one: NodeID, and other: NodeID) -> Bool {
        carries(from: one, to: other) && carries(from: other, to: one)
    }

    mutating func cut(from: NodeID, to: NodeID) { cut.insert(Way(from: from, to: to)) }

    mutating func heal() { cut.removeAll() }
}
