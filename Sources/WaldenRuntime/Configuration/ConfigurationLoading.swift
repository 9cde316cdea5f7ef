import Yams

extension Configuration {
    /// What one source says of one setting.
    private struct Given {
        let texts: [String]
        let origin: String
    }

    /// Reads the file, then the environment, then the flags; the later wins, setting by setting.
    ///
    /// - Parameters:
    ///   - file: The file's name for messages, and its content; nil without one.
    ///   - flags: Keys and values in the order given; a list's values follow one another.
    /// - Throws: everything that is wrong, at once.
    public static func load(
        file: (name: String, content: String)?, environment: [String: String], flags: [(flag: String, value: String)]
    ) throws(InvalidConfiguration) -> Configuration {
        var problems: [ConfigurationProblem] = []
        var given: [String: Given] = [:]
        if let file { given = read(file, &problems) }
        for setting in Setting.all {
            guard let text = environment[setting.environmentName] else { continue }
            let texts = setting.isList ? text.split(separator: ";").map(\.trimmed) : [text]
            given[setting.key] = Given(texts: texts, origin: "environment \(setting.environmentName)")
        }
        var flagged: [String: [String]] = [:]
        for (flag, value) in flags {
            guard let setting = Setting.flagged(flag) else {
                problems.append(ConfigurationProblem(origin: "flag \(flag)", key: "", reason: "there is no such flag"))
                continue
            }
            flagged[setting.key] = setting.isList ? (flagged[setting.key] ?? []) + [value] : [value]
            given[setting.key] = Given(texts: flagged[setting.key] ?? [], origin: "flag \(flag)")
        }
        var configuration = Configuration()
        for setting in Setting.all {
            if let given = given[setting.key] { apply(given, to: setting, &configuration, &problems) }
        }
        problems += configuration.contradictions { given[$0]?.origin }
        guard problems.isEmpty else { throw InvalidConfiguration(problems: problems) }
        return configuration
    }

    private static func apply(
        _ given: Given, to setting: Setting, _ configuration: inout Configuration,
        _ problems: inout [ConfigurationProblem]
    ) {
        guard !given.texts.isEmpty else { return }
        do throws(Quantity.Malformed) {
            try setting.read(given.texts, &configuration)
        } catch {
            problems.append(
                ConfigurationProblem(
                    origin: given.origin, key: setting.key,
                    reason: setting.isSecret ? "its value cannot be read" : error.reason))
        }
    }

    /// What no single setting can tell.
    private func contradictions(_ origin: (String) -> String?) -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        if primary.isEmpty {
            problems.append(
                ConfigurationProblem(
                    origin: origin("primary"), key: "primary",
                    reason: "is required: give --primary DSN, WALDEN_PRIMARY, or the key in the file"))
        }
        if resultBytes > cacheBytes / 8 {
            problems.append(
                ConfigurationProblem(
                    origin: origin("cache.max_result_bytes") ?? origin("cache.max_bytes"),
                    key: "cache.max_result_bytes",
                    reason: "\(Quantity.describe(bytes: resultBytes)) is more than an eighth of cache.max_bytes, "
                        + Quantity.describe(bytes: cacheBytes)))
        }
        return problems
    }

    // MARK: File

    private static func read(
        _ file: (name: String, content: String), _ problems: inout [ConfigurationProblem]
    ) -> [String: Given] {
        var given: [String: Given] = [:]
        do {
            if let root = try Yams.compose(yaml: file.content) {
                flatten(root, prefix: "", file.name, &given, &problems)
            }
        } catch {
            problems.append(ConfigurationProblem(origin: file.name, key: "", reason: "is no YAML: \(error)"))
        }
        return given
    }

    private static func flatten(
        _ node: Node, prefix: String, _ file: String, _ given: inout [String: Given],
        _ problems: inout [ConfigurationProblem]
    ) {
        guard let mapping = node.mapping else {
            problems.append(
                ConfigurationProblem(
                    origin: place(node, file), key: prefix, reason: "must be a group of settings"))
            return
        }
        for (name, value) in mapping {
            let key = prefix + (name.string ?? "")
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
    ) -> Given? {
        let nodes = setting.isList ? value.sequence.map(Array.init) ?? [value] : [value]
        let texts = nodes.compactMap { $0.scalar?.string }
        guard texts.count == nodes.count else {
            let wanted = setting.isList ? "a value or a list of values" : "a single value"
            problems.append(
                ConfigurationProblem(origin: place(value, file), key: setting.key, reason: "must be \(wanted)"))
            return nil
        }
        return Given(texts: texts, origin: place(value, file))
    }

    private static func place(_ node: Node, _ file: String) -> String {
        node.mark.map { "\(file):\($0.line)" } ?? file
    }

    // MARK: Reload

    /// Keys whose values differ: those that take effect at once, and those that need a restart.
    public func differences(to new: Configuration) -> (reloadable: [String], needRestart: [String]) {
        let changed = Setting.all.filter { $0.show(self) != $0.show(new) }
        return (changed.filter(\.isReloadable).map(\.key), changed.filter { !$0.isReloadable }.map(\.key))
    }

    // MARK: Reference

    /// The settings as `walden run --help` lists them.
    public static var help: String {
        Setting.all.map { setting in
            let standard = setting.show(Configuration()).joined(separator: ", ")
            let fallback = standard.isEmpty ? "" : " Default \(standard)."
            return "  \(setting.flag) \(setting.form)\n      \(setting.help)\(fallback)"
        }.joined(separator: "\n")
    }

    /// The settings as a table for the documentation.
    public static var reference: String {
        let head = "| key | default | reload | meaning |\n|---|---|---|---|\n"
        return head
            + Setting.all.map { setting in
                let standard = setting.show(Configuration()).map { "`\($0)`" }.joined(separator: ", ")
                let meaning = setting.help.split(separator: "|").joined(separator: "\\|")
                return "| `\(setting.key)` | \(standard) | \(setting.isReloadable ? "yes" : "") | \(meaning) |"
            }.joined(separator: "\n") + "\n"
    }
}
