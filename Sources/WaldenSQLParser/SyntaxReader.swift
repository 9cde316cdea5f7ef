import WaldenDependency

/// Turns a parse tree into a query by a list of what is known: a node or a field that is not on it is refused.
///
/// Recursive, with bounded depth.
struct SyntaxReader {
    let tree: ParseTree
    /// The text that was parsed.
    let source: [UInt8]
    var depth = 0

    /// Reading and analysing a tree of this depth takes less than 450 KiB of stack without optimisation (measured).
    static let depthLimit = 56
    /// Subscripts and field names after one another.
    static let stepLimit = 16

    init(tree: ParseTree, source: [UInt8]) {
        self.tree = tree
        self.source = source
    }

    mutating func nested<Result>(
        _ body: (inout SyntaxReader) throws(Refusal) -> Result
    ) throws(Refusal) -> Result {
        guard depth < Self.depthLimit else { throw Refusal(.unsupportedSyntax, "nested too deeply") }
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }

    /// The only member of a node that is wrapped by its kind, e.g. `{"ColumnRef": {…}}`.
    func unwrap(_ index: Int) throws(Refusal) -> Int {
        let children = tree.children(of: index)
        guard tree.nodes[index].kind == .object, children.count == 1 else {
            throw Refusal(.unsupportedSyntax, "unexpected parse tree")
        }
        return children[0]
    }

    func unsupported(_ index: Int) -> Refusal {
        Refusal(.unsupportedSyntax, tree.key(of: index))
    }

    /// The strings of a list of String nodes.
    func names(_ index: Int?) throws(Refusal) -> [String] {
        guard let index else { return [] }
        var names: [String] = []
        for child in tree.children(of: index) {
            let node = try unwrap(child)
            guard tree.isKey(of: node, "String") else { throw unsupported(node) }
            names.append(try name(tree.child(of: node, "sval")))
        }
        return names
    }

    /// The text of a string node that is a name.
    func name(_ index: Int?) throws(Refusal) -> String {
        guard let index, let name = tree.string(index) else {
            throw Refusal(.unsupportedSyntax, "a name that cannot be read")
        }
        return name
    }

    func qualifiedName(_ index: Int?) throws(Refusal) -> QualifiedName {
        let parts = try names(index)
        switch parts.count {
        case 1: return QualifiedName(schema: nil, name: parts[0])
        case 2: return QualifiedName(schema: parts[0], name: parts[1])
        default: throw Refusal(.unsupportedSyntax, "a name of \(parts.count) parts")
        }
    }

    mutating func expressions(_ index: Int?) throws(Refusal) -> [Expression] {
        guard let index else { return [] }
        var list: [Expression] = []
        for child in tree.children(of: index) { list.append(try expression(child)) }
        return list
    }

    mutating func optionalExpression(_ index: Int?) throws(Refusal) -> Expression? {
        guard let index else { return nil }
        return try expression(index)
    }
}
