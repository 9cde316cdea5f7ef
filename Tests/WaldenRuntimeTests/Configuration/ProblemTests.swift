import Testing

@testable import WaldenRuntime

/// All that is wrong is told at once, each with its place, key and reason.
@Suite struct ProblemTests {
    @Test func everythingIsToldAtOnce() {
        let file = """
            listen: nonsense
            cache:
              max_staleness: soon
              no_such_key: 1
            proxy: 7
            log: {level: [a, b]}
            """
        let expected = [
            "flag --nowhere: there is no such flag",
            "walden.yaml:4: cache.no_such_key: there is no such setting",
            "walden.yaml:5: proxy: must be a group of settings",
            "walden.yaml:6: log.level: must be a single value",
            "walden.yaml:1: listen: \"nonsense\" is not host:port",
            "environment WALDEN_ADMIN: admin: \"here\" is not host:port",
            "walden.yaml:3: cache.max_staleness: \"soon\" does not begin with a number",
            "primary: is required: give --primary DSN, WALDEN_PRIMARY, or the key in the file",
        ]
        let found = problems(file: file, ["WALDEN_ADMIN": "here"], [("--nowhere", "x")], primary: nil)
        #expect(Set(found) == Set(expected))
        #expect(found.count == expected.count)
    }

    @Test(arguments: [
        ("no_such_key: 1\n", "walden.yaml:1: no_such_key: there is no such setting"),
        ("\n\ncache:\n  max: 1\n", "walden.yaml:4: cache.max: there is no such setting"),
        ("primary: {host: a}\n", "walden.yaml:1: primary: must be a single value"),
        ("replicas: [{host: a}]\n", "walden.yaml:1: replicas: must be a value or a list of values"),
        ("replicas: [~]\n", "walden.yaml:1: replicas: must be a value or a list of values"),
        ("cache:\n  max_bytes:\n", "walden.yaml:2: cache.max_bytes: must be a single value"),
        ("listen: []\n", "walden.yaml:1: listen: needs at least one address"),
        ("- a\n- b\n", "walden.yaml:1: must be a group of settings"),
        (
            "cache:\n  enabled: true\ncache:\n  enabled: false\n",
            "walden.yaml:1: stands more than once in one group: cache"
        ),
    ])
    func faultOfTheFile(content: String, expected: String) {
        let found = problems(file: content)
        #expect(found.count == 1)
        #expect(found.first.map(withoutLineOfDuplicates) == withoutLineOfDuplicates(expected))
    }

    /// The parser names a line near the second of two equal keys, not always the same.
    private func withoutLineOfDuplicates(_ text: String) -> String {
        guard text.contains("more than once"), let reason = text.split(separator: " ", maxSplits: 1).last else {
            return text
        }
        return String(reason)
    }

    @Test(arguments: ["listen: [broken\n", "a: b: c\n", "cache:\n\t- x\n", "'\n", "\u{1}\n"])
    func brokenFileIsTheOnlyProblem(content: String) {
        let found = problems(file: content, primary: nil)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix("walden.yaml:") == true, "\(found)")
        #expect(found.first?.contains("is no YAML") == true, "\(found)")
    }

    @Test func resultMustFitIntoTheCacheManyTimes() {
        let small = problems([:], [("--cache-max-bytes", "8MB")])
        #expect(
            small == [
                "flag --cache-max-bytes: cache.max_result_bytes: 4MB is more than an eighth of "
                    + "cache.max_bytes, 8MB"
            ])
        #expect(problems([:], [("--cache-max-bytes", "8MB"), ("--cache-max-result-bytes", "1MB")]).isEmpty)
    }

    @Test func emptyListInTheEnvironmentIsNone() {
        #expect(problems(["WALDEN_LISTEN": ";"]) == ["environment WALDEN_LISTEN: listen: needs at least one address"])
        #expect(problems(["WALDEN_REPLICAS": ";"]).isEmpty)
    }

    @Test func unknownVariablesArePassedOver() {
        #expect(problems(["WALDEN_SERVICE_HOST": "10.0.0.1", "WALDEN_PORT": "tcp://10.0.0.1:6432"]).isEmpty)
    }
}
