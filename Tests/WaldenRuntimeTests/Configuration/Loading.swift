@testable import WaldenRuntime

/// Loads from what a test gives; the primary is set unless the test is about it.
func load(
    file: String? = nil, _ environment: [String: String] = [:], _ flags: [(String, String)] = [],
    primary: String? = "host=db"
) throws(InvalidConfiguration) -> Configuration {
    var environment = environment
    if let primary { environment["WALDEN_PRIMARY"] = environment["WALDEN_PRIMARY"] ?? primary }
    return try .load(
        file: file.map { ("walden.yaml", $0) }, environment: environment, flags: flags.map { (flag: $0.0, value: $0.1) }
    )
}

/// All that is wrong, line by line; empty when nothing is.
func problems(
    file: String? = nil, _ environment: [String: String] = [:], _ flags: [(String, String)] = [],
    primary: String? = "host=db"
) -> [String] {
    do throws(InvalidConfiguration) {
        _ = try load(file: file, environment, flags, primary: primary)
        return []
    } catch {
        return error.problems.map(\.description)
    }
}

/// The value of one setting as it is shown.
func shown(_ key: String, _ configuration: Configuration) -> [String]? {
    Setting.named(key)?.show(configuration)
}
