import Glibc

/// Where a process takes its configuration from: the arguments of `walden run` (among them the file's name) and the
/// environment. Read again on SIGHUP.
public struct ConfigurationSource: Sendable {
    static let maxFileBytes = 1 << 20

    private let arguments: [String]

    public init(arguments: [String]) {
        self.arguments = arguments
    }

    /// - Throws: `InvalidConfiguration` with all that is wrong.
    public func load() throws(InvalidConfiguration) -> Configuration {
        let environment = Self.environment()
        let given = Self.parse(arguments)
        var problems = given.problems
        var file: (name: String, content: String)?
        if let path = given.path ?? environment["WALDEN_CONFIG"] {
            do throws(ConfigurationProblem) {
                file = (path, try Self.read(path))
            } catch {
                // What the rest lacks may stand in the file.
                throw InvalidConfiguration(problems: problems + [error])
            }
        }
        do throws(InvalidConfiguration) {
            let configuration = try Configuration.load(file: file, environment: environment, flags: given.flags)
            if problems.isEmpty { return configuration }
        } catch {
            problems += error.problems
        }
        throw InvalidConfiguration(problems: problems)
    }

    /// What the environment or the file says of one setting, whatever else is wrong with them; nil: neither names it.
    func text(of key: String) throws(ConfigurationProblem) -> String? {
        let environment = Self.environment()
        if let setting = Setting.named(key), let text = environment[setting.environmentName] { return text }
        guard let path = Self.parse(arguments).path ?? environment["WALDEN_CONFIG"] else { return nil }
        var problems: [ConfigurationProblem] = []
        return try ConfigurationFile.read(Self.read(path), name: path, &problems).settings[key]?.texts.first
    }

    // MARK: Arguments

    struct Arguments {
        var path: String?
        var flags: [(flag: String, value: String)] = []
        var problems: [ConfigurationProblem] = []
    }

    /// Takes `--flag value` and `--flag=value`. Problems name no value: it may be a connection string without its flag.
    static func parse(_ arguments: [String]) -> Arguments {
        var result = Arguments()
        var position = 0
        while position < arguments.count {
            let parts = arguments[position].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let flag = String(parts[0])
            position += 1
            guard flag.hasPrefix("--") else {
                result.problems.append(problem("argument \(position)", "is no flag"))
                continue
            }
            let next = position < arguments.count && !arguments[position].hasPrefix("--") ? arguments[position] : nil
            if parts.count == 1, next != nil { position += 1 }
            guard let value = parts.count > 1 ? String(parts[1]) : next else {
                result.problems.append(problem("flag \(flag)", "has no value"))
                continue
            }
            if flag == "--config" { result.path = value } else { result.flags.append((flag, value)) }
        }
        return result
    }

    private static func environment() -> [String: String] {
        var result: [String: String] = [:]
        for name in Setting.all.map(\.environmentName) + ["WALDEN_CONFIG"] {
            if let value = getenv(name), value.pointee != 0 { result[name] = String(cString: value) }
        }
        return result
    }

    // MARK: File

    private static func read(_ path: String) throws(ConfigurationProblem) -> String {
        do throws(TextFile.Problem) {
            return try TextFile.read(path, limit: maxFileBytes)
        } catch {
            throw problem(path, error.reason)
        }
    }

    private static func problem(_ origin: String, _ reason: String) -> ConfigurationProblem {
        ConfigurationProblem(origin: origin, key: "", reason: reason)
    }
}
