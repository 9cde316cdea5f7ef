import WaldenDependency

/// One filing of one alternative of one entry.
struct Posting: Sendable {
    var entry: Int32 = -1
    var group: Int32 = -1
    var bucket: Int32 = -1
    /// In a list bucket the neighbours; in an interval bucket `next` is the tree's node.
    var next: Int32 = -1
    var previous: Int32 = -1
    /// The entry's next posting.
    var sibling: Int32 = -1
    /// Terms still to be checked, or negative.
    var residual: Int32 = -1
}

/// The terms of an alternative that its filing leaves open, shared by its postings.
struct Residual: Sendable {
    struct Check: Sendable {
        let column: Int
        let test: Test
    }

    var checks: [Check] = []
    var postings = 0
}
