import WaldenDependency
import Yams

/// Reads the list `functions` of the configuration file.
struct FunctionReader {
    private static let maxFunctions = 1_000
    private static let maxRelations = 100

    private var list: ListReading

    init(file: String) {
        list = ListReading(file: file)
    }

    var problems: [ConfigurationProblem] { list.problems }

    mutating func read(_ node: Node) -> [DeclaredFunction] {
        var found: [DeclaredFunction] = []
        let elements = list.elements(of: node, name: "functions", limit: Self.maxFunctions)
        for (index, element) in elements.enumerated() {
            guard let function = function(element, number: index + 1) else { continue }
            if found.contains(where: { $0.name == function.name && $0.arguments == function.arguments }) {
                list.report(element, "functions[\(index + 1)]", "is declared twice")
            }
            found.append(function)
        }
        return found
    }

    private mutating func function(_ node: Node, number: Int) -> DeclaredFunction? {
        let key = "functions[\(number)]"
        guard let mapping = list.members(of: node, key: key) else { return nil }
        var reads: [QualifiedName]?
        var function: DeclaredFunction?
        let before = problems.count
        for (name, value) in mapping {
            switch name.string ?? "" {
            case "name":
                function = value.scalar.flatMap { DeclaredFunction(signature: $0.string) }
                if function == nil {
                    list.report(
                        value, "\(key).name", "a function is named with its schema and types: app.total(integer)")
                }
            case "reads": reads = relations(value, "\(key).reads")
            default: list.report(name, "\(key).\(name.string ?? "")", "there is no such setting")
            }
        }
        if problems.count == before, function == nil || reads == nil {
            list.report(node, key, "needs a name and the list of relations that it reads")
        }
        function?.reads = reads ?? []
        return function
    }

    private mutating func relations(_ node: Node, _ key: String) -> [QualifiedName]? {
        guard let sequence = node.sequence, sequence.count <= Self.maxRelations else {
            list.report(node, key, "must be a list of at most \(Self.maxRelations) relations")
            return nil
        }
        var names: [QualifiedName] = []
        for element in sequence {
            guard let name = element.scalar.flatMap({ QualifiedName(withSchema: $0.string) }) else {
                list.report(element, key, "a relation is named with its schema: public.orders")
                continue
            }
            names.append(name)
        }
        return names
    }
}
