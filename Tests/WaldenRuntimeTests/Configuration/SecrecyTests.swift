import Testing

@testable import WaldenRuntime

/// A password never leaves the configuration but to libpq.
@Suite struct SecrecyTests {
    private static let secret = "geh31m"

    static let connectionStrings = [
        "host=db user=w password=\(secret)", "postgresql://w:\(secret)@db/app",
        "postgresql://db/app?password=\(secret)",
        "host=db password='\(secret) x'", "host=db sslpassword=\(secret)",
    ]

    @Test(arguments: connectionStrings)
    func noWayOfPrintingShowsIt(connectionString: String) throws {
        let configuration = try load(
            ["WALDEN_PRIMARY": connectionString, "WALDEN_REPLICAS": "host=other; \(connectionString)"])
        #expect(configuration.primary == connectionString)
        struct Holder {
            let configuration: Configuration
            let optional: Configuration?
            let list: [Configuration]
        }
        let holder = Holder(configuration: configuration, optional: configuration, list: [configuration])
        var dumped = ""
        dump(configuration, to: &dumped)
        dump(holder, to: &dumped)
        for text in [
            "\(configuration)", String(describing: configuration), String(reflecting: configuration),
            configuration.debugDescription, "\(holder)", String(reflecting: holder), "\([configuration])",
            "\(Optional(configuration) as Any)", dumped, "\(configuration.differences(to: Configuration()))",
        ] {
            #expect(!text.contains(Self.secret), "\(text)")
        }
    }

    @Test func descriptionTellsTheRest() throws {
        let configuration = try load(
            ["WALDEN_PRIMARY": "host=db password=x", "WALDEN_CACHE_MAX_BYTES": "64MB", "WALDEN_LISTEN": "a:1;b:2"])
        #expect(
            "\(configuration)"
                == "primary=[host=db password=***] listen=[a:1; b:2] cache.max_bytes=[64MB]")
    }

    /// Faults in and around a secret. The file's text may not be quoted, nor libpq's words about it.
    @Test(arguments: [
        "primary: \"host=db password=\(secret)\n", "primary: host=db password=\(secret) nonsense\n",
        "primary: postgresql://w:\(secret)@db:port/app\n", "primary: host=db password=two \(secret)\n",
        "primary: host=db password='\(secret)\n", "primary: host=db password=\(secret): x\n",
        "primary: [host=db password=\(secret)]\n", "primary: {password: \(secret)}\n",
        "replicas: [host=db password=\(secret)\n", "replicas: [host=db pasword=\(secret)]\n",
        "primary: host=db\nprimary: host=db password=\(secret)\n", "\tprimary: host=db password=\(secret)\n",
        "replicas:\n  - host=a\n  host: password=\(secret)\n",
    ])
    func noProblemShowsIt(content: String) {
        let found = problems(file: content, primary: nil)
        #expect(!found.isEmpty)
        #expect(!found.contains { $0.contains(Self.secret) }, "\(found)")
    }

    @Test func noFlagProblemShowsIt() {
        let found = problems(
            [:], [("--primary", "host=db password=a \(Self.secret)"), ("--replica", Self.secret + "@")])
        #expect(found.count == 2)
        #expect(!found.contains { $0.contains(Self.secret) }, "\(found)")
    }
}
