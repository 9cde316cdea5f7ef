import Testing
import WaldenCore

@testable import WaldenRuntime

@Suite struct PrecedenceTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let file: String?
        let environment: String?
        let flag: String?
        let expected: String
        var testDescription: String { "\(file ?? "-") \(environment ?? "-") \(flag ?? "-") → \(expected)" }
    }

    @Test(arguments: [
        Case(file: nil, environment: nil, flag: nil, expected: "1s"),
        Case(file: "2s", environment: nil, flag: nil, expected: "2s"),
        Case(file: nil, environment: "3s", flag: nil, expected: "3s"),
        Case(file: nil, environment: nil, flag: "4s", expected: "4s"),
        Case(file: "2s", environment: "3s", flag: nil, expected: "3s"),
        Case(file: "2s", environment: nil, flag: "4s", expected: "4s"),
        Case(file: nil, environment: "3s", flag: "4s", expected: "4s"),
        Case(file: "2s", environment: "3s", flag: "4s", expected: "4s"),
        // An empty variable counts as not set.
        Case(file: "2s", environment: "", flag: nil, expected: "2s"),
        Case(file: nil, environment: "", flag: nil, expected: "1s"),
    ])
    func laterSourceWins(_ example: Case) throws {
        let configuration = try load(
            file: example.file.map { "cache:\n  max_staleness: \($0)\n" },
            example.environment.map { ["WALDEN_CACHE_MAX_STALENESS": $0] } ?? [:],
            example.flag.map { [("--cache-max-staleness", $0)] } ?? [])
        #expect(shown("cache.max_staleness", configuration) == [example.expected])
    }

    @Test func sourcesMixSettingBySetting() throws {
        let configuration = try load(
            file: "cache: {max_bytes: 64MB, max_staleness: 2s}\nlog: {level: debug}\n",
            ["WALDEN_CACHE_MAX_STALENESS": "3s"], [("--log-level", "error")])
        #expect(configuration.cacheBytes == 64 << 20)
        #expect(configuration.maxStaleness == .seconds(3))
        #expect(configuration.logLevel == "error")
        #expect(configuration.isCaching)
    }

    @Test func listOfALaterSourceReplacesTheEarlierOne() throws {
        let configuration = try load(
            file: "replicas: [host=a, host=b]\nlisten: ['127.0.0.1:1', 'unix:/run/w']\n",
            ["WALDEN_REPLICAS": "host=c"])
        #expect(configuration.replicas == ["host=c"])
        #expect(configuration.listen == [.tcp(host: "127.0.0.1", port: 1), .unix(path: "/run/w")])
    }

    @Test func listsAreWrittenInEachSourcesWay() throws {
        let expected = ["host=a", "host=b"]
        #expect(try load(file: "replicas: [host=a, host=b]\n").replicas == expected)
        #expect(try load(file: "replicas:\n  - host=a\n  - host=b\n").replicas == expected)
        #expect(try load([:], [("--replica", "host=a"), ("--replica", "host=b")]).replicas == expected)
        #expect(try load(["WALDEN_REPLICAS": "host=a; host=b"]).replicas == expected)
        // One value needs no list.
        #expect(try load(file: "replicas: host=a\n").replicas == ["host=a"])
        #expect(try load(file: "replicas: []\n").replicas == [])
        #expect(try load(["WALDEN_LISTEN": "unix:/a;[::1]:7;h:0"]).listen.count == 3)
    }

    @Test func singleFlagGivenTwiceTakesTheLast() throws {
        let configuration = try load([:], [("--log-level", "debug"), ("--log-level", "error")])
        #expect(configuration.logLevel == "error")
    }

    @Test(arguments: ["", "# nothing\n", "---\n", "cache:\nproxy: ~\nlog: null\n", "cache: {}\n"])
    func fileThatSetsNothingLeavesTheDefaults(content: String) throws {
        #expect(try load(file: content) == load())
    }

    /// For settings without a default, by their form.
    private static let examples = [
        "DSN": "host=x", "ADDRESS": "h:1", "CIDR": "10.0.0.0/8", "FILE": "/x", "NODE=N": "replica1=2", "ROLE": "r",
        "N=ADDRESS": "2=h:1", "NAME": "a", "CONNINFO": "host=x", "NAME=N": "a=1", "WORD": "/bin/true",
        "URL": "http://a/", "ADDRESS|none": "none",
        "disable|allow|prefer|require|verify-ca|verify-full": "require",
    ]

    /// What a setting needs besides.
    private static let companions = ["proxy.peers": ["WALDEN_PROXY_PEER_ID": "1"]]

    @Test func everySettingIsReadFromEverySource() throws {
        for setting in Setting.all {
            let standard = setting.show(Configuration())
            let texts = standard.isEmpty ? [try #require(Self.examples[setting.form], "\(setting.form)")] : standard
            let text = texts[0]
            let besides = Self.companions[setting.key] ?? [:]
            // The environment's would win over the file's.
            let primary = setting.key == "primary" ? nil : "host=db"
            let path = setting.key.split(separator: ".")
            let groups = path.dropLast().map { "{\($0): " }.joined()
            let yaml = "\(groups){\(path[path.count - 1]): '\(text)'}\(String(repeating: "}", count: path.count - 1))\n"
            for configuration in [
                try load(file: yaml, besides, primary: primary),
                try load(besides.merging([setting.environmentName: text]) { first, _ in first }),
                try load(besides, [(setting.flag, text)]),
            ] {
                #expect(setting.show(configuration) == texts, "\(setting.key)")
            }
        }
    }

    @Test func namesFollowFromTheKey() {
        #expect(Setting.named("cache.max_bytes")?.flag == "--cache-max-bytes")
        #expect(Setting.named("cache.max_bytes")?.environmentName == "WALDEN_CACHE_MAX_BYTES")
        #expect(Setting.named("replicas")?.flag == "--replica")
        #expect(Set(Setting.all.map(\.key)).count == Setting.all.count)
        #expect(Set(Setting.all.map(\.flag)).count == Setting.all.count)
        #expect(Set(Setting.all.map(\.environmentName)).count == Setting.all.count)
    }
}
