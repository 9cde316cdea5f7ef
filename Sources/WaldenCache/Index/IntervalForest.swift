import WaldenDependency

/// Many interval trees in one arena: each answers which of its intervals contain a value, in O(log n + k).
///
/// Each tree is a treap (Seidel, Aragon: "Randomized search trees", 1996) ordered by the intervals' lower bounds, and
/// every node knows the furthest upper bound below it (the augmented tree of Cormen et al., "Introduction to
/// Algorithms", ch. 14.3). Priorities are keyed hashes of a counter: balance does not depend on what clients ask for.
/// A tree is named by its root, negative when empty; changing a tree gives its new root.
struct IntervalForest: Sendable {
    private struct Node: Sendable {
        var lower = Bound.unbounded
        var upper = Bound.unbounded
        /// The furthest upper bound of the subtree.
        var reach = Bound.unbounded
        var left: Int32 = -1
        var right: Int32 = -1
        var priority: UInt32 = 0
        var item: Int32 = -1
    }

    private var nodes = SlotArena<Node>()
    private var counter: UInt64 = 0

    var count: Int { nodes.count }

    /// Adds an interval; `item` is what queries report. Returns its node, to remove it by.
    mutating func insert(lower: Bound, upper: Bound, item: Int32, root: inout Int32) -> Int32 {
        counter &+= 1
        var hasher = Hasher()
        hasher.combine(counter)
        let node = nodes.insert(
            Node(
                lower: lower, upper: upper, reach: upper,
                priority: UInt32(truncatingIfNeeded: hasher.finalize()), item: item))
        root = insert(node, into: root)
        return node
    }

    mutating func remove(_ node: Int32, root: inout Int32) {
        root = remove(node, from: root)
        nodes.remove(node, leaving: Node())
    }

    func forEach(containing value: Value, root: Int32, _ body: (Int32) -> Void) {
        guard root >= 0, nodes[root].reach.admitsFromAbove(value) else { return }
        forEach(containing: value, root: nodes[root].left, body)
        guard nodes[root].lower.admitsFromBelow(value) else { return }
        if nodes[root].upper.admitsFromAbove(value) { body(nodes[root].item) }
        forEach(containing: value, root: nodes[root].right, body)
    }

    func forEach(root: Int32, _ body: (Int32) -> Void) {
        guard root >= 0 else { return }
        forEach(root: nodes[root].left, body)
        body(nodes[root].item)
        forEach(root: nodes[root].right, body)
    }

    /// The longest path, for tests.
    func height(root: Int32) -> Int {
        root < 0 ? 0 : 1 + max(height(root: nodes[root].left), height(root: nodes[root].right))
    }

    /// A total order: by lower bound, ties by node.
    private func precedes(_ left: Int32, _ right: Int32) -> Bool {
        let order = Bound.compareStarts(nodes[left].lower, nodes[right].lower)
        return order == 0 ? left < right : order < 0
    }

    private mutating func insert(_ node: Int32, into root: Int32) -> Int32 {
        guard root >= 0 else { return node }
        if nodes[node].priority > nodes[root].priority {
            let (left, right) = split(root, at: node)
            nodes[node].left = left
            nodes[node].right = right
            update(node)
            return node
        }
        if precedes(node, root) {
            let left = insert(node, into: nodes[root].left)
            nodes[root].left = left
        } else {
            let right = insert(node, into: nodes[root].right)
            nodes[root].right = right
        }
        update(root)
        return root
    }

    private mutating func remove(_ node: Int32, from root: Int32) -> Int32 {
        guard root >= 0 else { return root }
        if root == node { return merge(nodes[root].left, nodes[root].right) }
        if precedes(node, root) {
            let left = remove(node, from: nodes[root].left)
            nodes[root].left = left
        } else {
            let right = remove(node, from: nodes[root].right)
            nodes[root].right = right
        }
        update(root)
        return root
    }

    /// Parts a tree into the nodes before and after `pivot`.
    private mutating func split(_ root: Int32, at pivot: Int32) -> (Int32, Int32) {
        guard root >= 0 else { return (-1, -1) }
        if precedes(root, pivot) {
            let (left, right) = split(nodes[root].right, at: pivot)
            nodes[root].right = left
            update(root)
            return (root, right)
        }
        let (left, right) = split(nodes[root].left, at: pivot)
        nodes[root].left = right
        update(root)
        return (left, root)
    }

    private mutating func merge(_ left: Int32, _ right: Int32) -> Int32 {
        if left < 0 { return right }
        if right < 0 { return left }
        if nodes[left].priority > nodes[right].priority {
            let merged = merge(nodes[left].right, right)
            nodes[left].right = merged
            update(left)
            return left
        }
        let merged = merge(left, nodes[right].left)
        nodes[right].left = merged
        update(right)
        return right
    }

    private mutating func update(_ node: Int32) {
        var reach = nodes[node].upper
        let left = nodes[node].left
        let right = nodes[node].right
        if left >= 0 { reach = Bound.laterEnd(reach, nodes[left].reach) }
        if right >= 0 { reach = Bound.laterEnd(reach, nodes[right].reach) }
        nodes[node].reach = reach
    }
}
