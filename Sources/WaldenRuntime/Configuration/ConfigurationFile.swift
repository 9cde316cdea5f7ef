import WaldenDependency
import Yams

/// Reads the YAML file into texts by key, with the line of each.
///
/// Nothing of the file's content is repeated in a problem but keys: a line that YAML stumbles over may hold a password.
enum ConfigurationFile {
    struct Content {
        var settings: [String: Configuration.Given] = [:]
        var rules: [CacheRule] = []
        var functions: [DeclaredFunction] = []
    }

    /// - Throws: what keeps it from being read at all. Faults of single keys are added to `problems`.
    static func read(
        _ content: String, name: String, _ problems: inout [ConfigurationProblem]
    ) throws(ConfigurationProblem) -> Content {
        let root: Node?
        do {
            root = try Yams.compose(yaml: content)
        } catch {
            throw problem(error, name)
        }
        var content = Content()
        if let root { flatten(root, prefix: "", name, &content.settings, &problems) }
        content.rules = rules(root, name, &problems)
        content.functions = functions(root, name, &problems)
        return content
    }

    /// The list `rules` at the top.
    private static func rules(
        _ root: Node?, _ file: String, _ problems: inout [ConfigurationProblem]
    ) -> [CacheRule] {
        guard let node = root?.mapping?["rules"], !node.isNull else { return [] }
        var reader = RuleReader(file: file)
        let rules = reader.read(node)
        problems += reader.problems
        return rules
    }

    /// The list `functions` at the top.
    private static func functions(
        _ root: Node?, _ file: String, _ problems: inout [ConfigurationProblem]
    ) -> [DeclaredFunction] {
        guard let node = root?.mapping?["functions"], !node.isNull else { return [] }
        var reader = FunctionReader(file: file)
        let functions = reader.read(node)
        problems += reader.problems
        return functions
    }

    private static func flatten(
        _ node: Node, prefix: String, _ file: String, _ given: inout [String: Configuration.Given],
        _ problems: inout [ConfigurationProblem]
    ) {
        // A group whose settings are all commented out.
        if node.isNull { return }
        guard let mapping = node.mapping else {
            problems.append(
                ConfigurationProblem(
                    origin: place(node, file), key: String(prefix.dropLast()), reason: "must be a group of settings"))
            return
        }
        for (name, value) in mapping {
            let key = prefix + (name.string ?? "")
            if key == "rules" || key == "functions" { continue }
            if let setting = Setting.named(key) {
                given[key] = read(setting, value, file, &problems)
            } else if Setting.all.contains(where: { $0.key.hasPrefix(key + ".") }) {
                flatten(value, prefix: key + ".", file, &given, &problems)
            } else {
                problems.append(
                    ConfigurationProblem(origin: place(name, file), key: key, reason: "there is no such setting"))
            }
        }
    }

    private static func read(
        _ setting: Setting, _ value: Node, _ file: String, _ problems: inout [ConfigurationProblem]
    ) -> Configuration.Given? {
        let nodes = setting.isList ? value.sequence.map(Array.init) ?? [value] : [value]
        let texts = nodes.compactMap { $0.isNull ? nil : $0.scalar?.string }
        guard texts.count == nodes.count else {
            let wanted = setting.isList ? "a value or a list of values" : "a single value"
            problems.append(
                ConfigurationProblem(origin: place(value, file), key: setting.key, reason: "must be \(wanted)"))
            return nil
        }
        return Configuration.Given(texts: texts, origin: place(value, file))
    }

    private static func place(_ node: Node, _ file: String) -> String {
        node.mark.map { "\(file):\($0.line)" } ?? file
    }

    private static func problem(_ error: any Error, _ file: String) -> ConfigurationProblem {
        let (line, reason): (Int?, String) =
            switch error {
            case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
                YamlError.composer(_, let problem, let mark, _):
                (mark.line, "is no YAML: \(problem)")
            case YamlError.reader(let problem, _, _, _): (nil, "is no YAML: \(problem)")
            case YamlError.duplicatedKeysInMapping(let keys, let context):
                (context.mark.line, "stands more than once in one group: \(keys.joined(separator: ", "))")
            default: (nil, "is no YAML")
            }
        return ConfigurationProblem(origin: line.map { "\(file):\($0)" } ?? file, key: "", reason: reason)
    }
}

extension Node {
    /// Nothing after the colon, or `~` or `null`.
    fileprivate var isNull: Bool {
        guard let scalar, scalar.style == .any || scalar.style == .plain else { return false }
        return ["", "~", "null"].contains(scalar.string)
    }
}
