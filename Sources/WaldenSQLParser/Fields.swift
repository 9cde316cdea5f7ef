import WaldenDependency

/// The fields of one syntax node, each to be taken by name. What is left in the end is syntax that the reader does not
/// know, and refused.
struct Fields {
    private let tree: ParseTree
    private let kind: StaticString
    private var left: [Int]

    init(of index: Int, in tree: ParseTree, kind: StaticString) {
        self.tree = tree
        self.kind = kind
        left = tree.children(of: index).filter { !tree.isKey(of: $0, "location") }
    }

    mutating func take(_ name: StaticString) -> Int? {
        guard let place = left.firstIndex(where: { tree.isKey(of: $0, name) }) else { return nil }
        return left.remove(at: place)
    }

    mutating func flag(_ name: StaticString) -> Bool {
        take(name).map { tree.nodes[$0].kind == .yes } ?? false
    }

    /// Drops fields that do not matter to the analysis.
    mutating func ignore(_ names: StaticString...) {
        for name in names { _ = take(name) }
    }

    func finish() throws(Refusal) {
        guard let first = left.first else { return }
        throw Refusal(.unsupportedSyntax, "\(tree.key(of: first)) of \(kind)")
    }
}
