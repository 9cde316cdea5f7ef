import Glibc

/// Where a process takes its configuration from: the arguments of `walden run` (among them the file's name) and the
/// environment. Read again on SIGHUP.
public struct ConfigurationSource: Sendable {
    private let arguments: [String]

    public init(arguments: [String]) {
        self.arguments = arguments
    }

    /// - Throws: `InvalidConfiguration` with all that is wrong.
    public func load() throws(InvalidConfiguration) -> Configuration {
        var flags: [(flag: String, value: String)] = []
        var path = environment["WALDEN_CONFIG"]
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let flag = String(parts[0])
            guard flag.hasPrefix("--") else { throw Self.problem("argument \(argument)", "is no flag") }
            guard let value = parts.count > 1 ? String(parts[1]) : rest.popFirst() else {
                throw Self.problem("flag \(flag)", "has no value")
            }
            if flag == "--config" { path = value } else { flags.append((flag, value)) }
        }
        return try .load(file: try path.map(Self.read), environment: environment, flags: flags)
    }

    private var environment: [String: String] {
        var result: [String: String] = [:]
        for setting in Setting.all.map(\.environmentName) + ["WALDEN_CONFIG"] {
            if let value = getenv(setting) { result[setting] = String(cString: value) }
        }
        return result
    }

    private static func read(_ path: String) throws(InvalidConfiguration) -> (name: String, content: String) {
        guard let file = fopen(path, "r") else {
            throw problem(path, "cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            bytes += buffer[..<count]
            guard bytes.count <= 1 << 20 else { throw problem(path, "is larger than 1 MB") }
        }
        guard let content = String(validating: bytes, as: UTF8.self) else { throw problem(path, "is not UTF-8") }
        return (path, content)
    }

    private static func problem(_ origin: String, _ reason: String) -> InvalidConfiguration {
        InvalidConfiguration(problems: [ConfigurationProblem(origin: origin, key: "", reason: reason)])
    }
}
