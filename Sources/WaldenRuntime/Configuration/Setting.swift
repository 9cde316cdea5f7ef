/// One thing that can be set: its key in the file and what follows from it, how its text is read, and what it means.
///
/// The only table of the configuration. Flags (`--cache-max-bytes`), environment (`WALDEN_CACHE_MAX_BYTES`), the file,
/// `--help` and the reference in docs/operating.md all come from it.
struct Setting: Sendable {
    /// As in the file: `cache.max_bytes`.
    let key: String
    /// What help shows for the value.
    let form: String
    /// The values allowed, where they have limits: `1kB … 1GB`.
    var range: String?
    /// May be given more than once (a list in the file; separated by `;` in the environment).
    var isList = false
    /// May hold a password: its value is never shown.
    var isSecret = false
    /// Takes effect on SIGHUP.
    var isReloadable = false
    let help: String
    /// The value as text; an empty list for what has no default.
    let show: @Sendable (Configuration) -> [String]
    /// Sets it from its texts: one, unless it is a list. What it throws never holds a secret.
    let read: @Sendable ([String], inout Configuration) throws(Quantity.Malformed) -> Void

    var flag: String {
        // Said once for each, so in the singular.
        key == "replicas" ? "--replica" : "--" + String(key.map { "._".contains($0) ? "-" : $0 })
    }

    var environmentName: String { "WALDEN_" + String(key.uppercased().map { $0 == "." ? "_" : $0 }) }

    static func named(_ key: String) -> Setting? { byKey[key] }
    static func flagged(_ flag: String) -> Setting? { all.first { $0.flag == flag } }
    private static let byKey = Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })
}

extension Setting {
    static func bytes(
        _ key: String, _ property: any WritableKeyPath<Configuration, Int> & Sendable, _ range: ClosedRange<Int>,
        isReloadable: Bool = false, _ help: String
    ) -> Setting {
        Setting(
            key: key, form: "BYTES", range: Quantity.describe(bytes: range), isReloadable: isReloadable, help: help,
            show: { [Quantity.describe(bytes: $0[keyPath: property])] },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                configuration[keyPath: property] = try Quantity.bytes(texts[0], in: range)
            })
    }

    static func count(
        _ key: String, _ property: any WritableKeyPath<Configuration, Int> & Sendable, _ range: ClosedRange<Int>,
        _ help: String
    ) -> Setting {
        Setting(
            key: key, form: "N", range: "\(range.lowerBound) … \(range.upperBound)", help: help,
            show: { ["\($0[keyPath: property])"] },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                configuration[keyPath: property] = try Quantity.integer(texts[0], in: range)
            })
    }

    static func duration(
        _ key: String, _ property: any WritableKeyPath<Configuration, Duration> & Sendable,
        _ range: ClosedRange<Duration>, isReloadable: Bool = false, _ help: String
    ) -> Setting {
        Setting(
            key: key, form: "TIME", range: Quantity.describe(range), isReloadable: isReloadable, help: help,
            show: { [Quantity.describe($0[keyPath: property])] },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                configuration[keyPath: property] = try Quantity.duration(texts[0], in: range)
            })
    }

    static func flag(
        _ key: String, _ property: any WritableKeyPath<Configuration, Bool> & Sendable, _ help: String
    ) -> Setting {
        Setting(
            key: key, form: "true|false", help: help, show: { ["\($0[keyPath: property])"] },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                configuration[keyPath: property] = try Quantity.boolean(texts[0])
            })
    }

    static func choice(
        _ key: String, _ property: any WritableKeyPath<Configuration, String> & Sendable, _ choices: [String],
        isReloadable: Bool = false, _ help: String
    ) -> Setting {
        Setting(
            key: key, form: choices.joined(separator: "|"), isReloadable: isReloadable, help: help,
            show: { [$0[keyPath: property]] },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                configuration[keyPath: property] = try Quantity.oneOf(texts[0], choices)
            })
    }
}
