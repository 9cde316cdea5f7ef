import Yams

/// What is wrong with a list of the configuration file, and where: found while it is read.
struct ListReading {
    private let file: String
    private(set) var problems: [ConfigurationProblem] = []

    init(file: String) {
        self.file = file
    }

    /// The list's elements; none when it is no list, or longer than `limit`.
    ///
    /// - Parameter name: The list's own, which is also what its elements are called.
    mutating func elements(of node: Node, name: String, limit: Int) -> [Node] {
        guard let sequence = node.sequence else {
            report(node, name, "must be a list of \(name)")
            return []
        }
        guard sequence.count <= limit else {
            report(node, name, "has more than \(limit) \(name)")
            return []
        }
        return Array(sequence)
    }

    /// The members of one element; nil when it has none.
    mutating func members(of node: Node, key: String) -> Node.Mapping? {
        if node.mapping == nil { report(node, key, "must be a group of settings") }
        return node.mapping
    }

    mutating func report(_ node: Node, _ key: String, _ reason: String) {
        problems.append(ConfigurationProblem(origin: place(node), key: key, reason: reason))
    }

    func place(_ node: Node) -> String { node.mark.map { "\(file):\($0.line)" } ?? file }
}
