internal import WaldenPostgres

extension Configuration {
    /// The settings as `walden run --help` lists them, in lines of at most 80 columns.
    public static var help: String {
        Setting.all.map { setting in
            let notes = [setting.range, fallback(setting, quote: "").map { "default \($0)" }].compactMap { $0 }
            let text = setting.help + (notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))")
            return "  \(setting.flag) \(setting.form)\n" + wrapped(text).map { "      \($0)" }.joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private static func wrapped(_ text: String) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + word.count < 74 {
                lines[lines.count - 1] += " \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }

    /// The settings as a Markdown table, for the documentation.
    public static var reference: String {
        let rows = Setting.all.map { setting in
            let value = escaped(setting.range ?? setting.form) + (setting.isList ? ", a list" : "")
            let reload = setting.isReloadable ? "yes" : ""
            return "| `\(setting.key)` | \(value) | \(fallback(setting, quote: "`") ?? "") | \(reload) "
                + "| \(escaped(setting.help)) |\n"
        }
        return "| Key | Value | Default | Reload | Meaning |\n|---|---|---|---|---|\n" + rows.joined()
    }

    private static func fallback(_ setting: Setting, quote: String) -> String? {
        let standard = setting.show(Configuration()).map { quote + $0 + quote }
        return standard.isEmpty ? nil : standard.joined(separator: ", ")
    }

    private static func escaped(_ text: String) -> String {
        text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}

/// Every way of printing leaves secrets out, for whoever holds a configuration may be printed, by a log line or a dump.
extension Configuration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// `key=value` of what differs from the defaults, in the order of the reference.
    public var description: String {
        let standard = Configuration()
        return Setting.all.filter { $0.show(self) != $0.show(standard) }.map { setting in
            "\(setting.key)=[\(shown(setting).joined(separator: "; "))]"
        }.joined(separator: " ")
    }

    /// The values of a setting without what is secret in them.
    func shown(_ setting: Setting) -> [String] {
        setting.show(self).map { setting.isSecret ? Self.withoutSecrets($0) : $0 }
    }

    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }

    private static func withoutSecrets(_ connectionString: String) -> String {
        guard let dsn = try? DSN(connectionString) else { return "***" }
        return dsn.description
    }
}
