import WaldenAuth
import WaldenCore
import WaldenPostgres
import WaldenProxy

/// The settings under `auth`, as they were given. The files are read by `settings`.
struct AuthChoices: Hashable, Sendable {
    /// `relay`, `hba` or the name of an `AuthMethod`.
    var method = "relay"
    var rulesFile = ""
    var mapFile = ""
    var userFile = ""
    /// `off`: the primary is not asked.
    var query = RoleSecrets.standardQuery
    var cacheLifetime = Duration.zero
    var threads = 2

    static let methods = ["relay", "hba"] + AuthMethod.allCases.filter { $0 != .reject }.map(\.rawValue)

    /// The bound on files of rules and users.
    private static let fileByteLimit = 16 << 20

    var asksPrimary: Bool { query != "off" }

    /// Reads the files.
    ///
    /// - Parameter ownAddresses: What `samehost` means.
    /// - Throws: the first fault, with file and line.
    func settings(ownAddresses: Set<IPAddress>) throws(ConfigurationProblem) -> AuthenticationSettings {
        var settings = AuthenticationSettings(cacheLifetime: cacheLifetime, threads: threads)
        if !userFile.isEmpty {
            settings.users = try Self.read(userFile, "auth.user_file") { (content, name) throws(FileProblem) in
                try UserFile(content: content, file: name)
            }
        }
        guard method != "relay" else { return settings }
        var rules: AuthRules
        if let method = AuthMethod(rawValue: method) {
            rules = AuthRules(method: method)
        } else {
            rules = try Self.read(rulesFile, "auth.hba_file") { (content, name) throws(FileProblem) in
                try AuthRules(content: content, file: name)
            }
        }
        if !mapFile.isEmpty {
            rules.maps = try Self.read(mapFile, "auth.ident_file") { (content, name) throws(FileProblem) in
                try UserMaps(content: content, file: name)
            }
        }
        rules.ownAddresses = ownAddresses
        settings.rules = rules
        return settings
    }

    private static func read<Value>(
        _ path: String, _ key: String, _ parse: (String, String) throws(FileProblem) -> Value
    ) throws(ConfigurationProblem) -> Value {
        let content: String
        do throws(TextFile.Problem) {
            content = try TextFile.read(path, limit: fileByteLimit)
        } catch {
            throw ConfigurationProblem(origin: path, key: key, reason: error.reason)
        }
        do throws(FileProblem) {
            return try parse(content, path)
        } catch {
            throw ConfigurationProblem(origin: "\(path):\(error.line)", key: key, reason: error.reason)
        }
    }
}
