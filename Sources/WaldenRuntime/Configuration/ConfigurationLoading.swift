import WaldenCore
import WaldenProxy

extension Configuration {
    /// What one source says of one setting.
    struct Given {
        /// A list may be empty; a single setting has one.
        let texts: [String]
        let origin: String
    }

    /// Reads the file, then the environment, then the flags; the later wins, setting by setting.
    ///
    /// An empty variable counts as not set. Variables that begin with `WALDEN_` and name no setting are passed over:
    /// Kubernetes makes such for a service of that name.
    ///
    /// - Parameters:
    ///   - file: The file's name for messages, and its content; nil without one.
    ///   - flags: Flags and values in the order given; a list's values follow one another.
    /// - Throws: everything that is wrong, at once.
    public static func load(
        file: (name: String, content: String)?, environment: [String: String], flags: [(flag: String, value: String)]
    ) throws(InvalidConfiguration) -> Configuration {
        var problems: [ConfigurationProblem] = []
        var given: [String: Given] = [:]
        var configuration = Configuration()
        var isFileReadable = true
        do throws(ConfigurationProblem) {
            if let file {
                let content = try ConfigurationFile.read(file.content, name: file.name, &problems)
                given = content.settings
                configuration.rules = content.rules
                configuration.functions = content.functions
            }
        } catch {
            problems.append(error)
            isFileReadable = false
        }
        for setting in Setting.all {
            if let new = read(setting, environment) { given[setting.key] = new }
        }
        given.merge(read(flags, &problems)) { _, new in new }
        for setting in Setting.all {
            if let given = given[setting.key] { apply(given, to: setting, &configuration, &problems) }
        }
        // What a file lacks that cannot be read, nobody knows.
        if isFileReadable { problems += configuration.contradictions { given[$0]?.origin } }
        guard problems.isEmpty else { throw InvalidConfiguration(problems: problems) }
        return configuration
    }

    private static func read(_ setting: Setting, _ environment: [String: String]) -> Given? {
        guard let text = environment[setting.environmentName], !text.isEmpty else { return nil }
        let texts = setting.isList ? text.split(separator: ";").map(\.trimmed) : [text]
        return Given(texts: texts, origin: "environment \(setting.environmentName)")
    }

    private static func read(
        _ flags: [(flag: String, value: String)], _ problems: inout [ConfigurationProblem]
    ) -> [String: Given] {
        var given: [String: Given] = [:]
        for (flag, value) in flags {
            let origin = "flag \(flag)"
            guard let setting = Setting.flagged(flag) else {
                problems.append(ConfigurationProblem(origin: origin, key: "", reason: "there is no such flag"))
                continue
            }
            let former = setting.isList ? given[setting.key]?.texts ?? [] : []
            given[setting.key] = Given(texts: former + [value], origin: origin)
        }
        return given
    }

    private static func apply(
        _ given: Given, to setting: Setting, _ configuration: inout Configuration,
        _ problems: inout [ConfigurationProblem]
    ) {
        do throws(Quantity.Malformed) {
            try setting.read(given.texts, &configuration)
        } catch {
            problems.append(ConfigurationProblem(origin: given.origin, key: setting.key, reason: error.reason))
        }
    }

    /// What no single setting can tell.
    private func contradictions(_ origin: (String) -> String?) -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        if primary.isEmpty, origin("primary") == nil {
            problems.append(
                ConfigurationProblem(
                    origin: nil, key: "primary",
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
        if let weight = unknownWeight {
            problems.append(
                ConfigurationProblem(
                    origin: origin("routing.weights"), key: "routing.weights",
                    reason: "there is no \(weight.node): \(replicas.count) replicas are configured"))
        }
        problems += failover.contradictions(nodeCount: 1 + replicas.count).map {
            ConfigurationProblem(origin: origin($0.key), key: $0.key, reason: $0.reason)
        }
        return problems + frontContradictions(origin)
    }

    private func frontContradictions(_ origin: (String) -> String?) -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        func report(_ key: String, _ reason: String) {
            problems.append(ConfigurationProblem(origin: origin(key), key: key, reason: reason))
        }
        let client = tls.client
        if client.mode != .disable {
            if client.certificateFile.isEmpty { report("tls.client.cert_file", "TLS to clients needs a certificate") }
            if client.keyFile.isEmpty { report("tls.client.key_file", "TLS to clients needs a private key") }
            if client.mode.verifies, client.caFile.isEmpty {
                report("tls.client.ca_file", "\(client.mode.rawValue) needs authorities to verify by")
            }
        }
        if proxyProtocol != "off", proxyProtocolFrom.isEmpty {
            report(
                "proxy.proxy_protocol_from",
                "names nobody, but whoever may send PROXY headers may name any client: list the load balancers")
        }
        if !peers.isEmpty, peerID == 0 {
            report("proxy.peers", "the keys of clients cannot tell whose they are without proxy.peer_id")
        }
        if auth.method == "hba", auth.rulesFile.isEmpty {
            report("auth.hba_file", "auth.method: hba needs a file of rules")
        }
        if auth.method == "cert", client.mode == .disable || client.caFile.isEmpty {
            report(
                "auth.method", "cert needs tls.client.mode and tls.client.ca_file: there are no certificates without")
        }
        if auth.method != "relay", auth.method != "trust", auth.userFile.isEmpty, !auth.asksPrimary {
            report("auth.query", "is off and auth.user_file names no file, so nobody could log in")
        }
        return problems
    }

    // MARK: Reload

    /// Keys whose values differ: those that take effect at once, and those that need a restart.
    public func differences(to new: Configuration) -> (reloadable: [String], needRestart: [String]) {
        let changed = Setting.all.filter { $0.show(self) != $0.show(new) }
        let lists = (rules == new.rules ? [] : ["rules"]) + (functions == new.functions ? [] : ["functions"])
        return (changed.filter(\.isReloadable).map(\.key) + lists, changed.filter { !$0.isReloadable }.map(\.key))
    }
}
