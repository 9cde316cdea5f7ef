import Testing
import WaldenAuth
import WaldenCore
import WaldenProxy

@testable import WaldenRuntime

/// Which clients Walden authenticates itself, and by which files.
@Suite struct AuthenticationConfigurationTests {
    private func settings(_ flags: [(String, String)]) throws -> AuthenticationSettings {
        try load([:], flags).auth.settings(ownAddresses: [])
    }

    @Test func relayIsTheDefaultAndReadsNoRules() throws {
        #expect(try settings([]).rules == nil)
        #expect(try settings([("--auth-hba-file", "/nowhere")]).rules == nil)
    }

    @Test(arguments: ["trust", "password", "md5", "scram-sha-256"])
    func aMethodIsOneRuleForAll(method: String) throws {
        let rules = try #require(try settings([("--auth-method", method)]).rules)
        let request = AuthRules.Request(user: "a", database: "b")
        let decision = rules.decide(request, from: ClientInfo(address: .local))
        #expect(decision == .ask(try #require(AuthMethod(rawValue: method))))
    }

    @Test func filesAreReadWithTheirFaults() throws {
        try withFile("\"a\" \"secret\"\n") { users in
            let count = try settings([("--auth-user-file", users)]).users.count
            #expect(count == 1)
        }
        try withFile("\"a\" \"x\"\n\"b\" secret\n") { bad in
            let problem = #expect(throws: ConfigurationProblem.self) { try settings([("--auth-user-file", bad)]) }
            #expect(problem?.origin == "\(bad):2" && problem?.key == "auth.user_file")
            #expect(problem?.description.contains("secret\n") == false)
        }
        try withFile("host all all all ldap\n") { rules in
            let ldap = #expect(throws: ConfigurationProblem.self) {
                try settings([("--auth-method", "hba"), ("--auth-hba-file", rules)])
            }
            #expect(ldap?.origin == "\(rules):1" && ldap?.key == "auth.hba_file")
        }
        let missing = #expect(throws: ConfigurationProblem.self) { try settings([("--auth-user-file", "/nowhere")]) }
        #expect(missing?.description.hasPrefix("/nowhere: auth.user_file: cannot be opened") == true)
    }

    private static let contradictions: [([(String, String)], String)] = [
        ([("--auth-method", "hba")], "auth.hba_file: auth.method: hba needs a file of rules"),
        ([("--auth-method", "ldap")], "flag --auth-method: auth.method: "),
        ([("--auth-method", "cert")], "flag --auth-method: auth.method: cert needs tls.client.mode"),
        ([("--auth-query", "SELECT 1")], "flag --auth-query: auth.query: must hold $1"),
        (
            [("--auth-query", "off"), ("--auth-method", "md5")],
            "flag --auth-query: auth.query: is off and auth.user_file names no file"
        ),
    ]

    @Test(arguments: contradictions)
    func contradictionsAreTold(flags: [(String, String)], expected: String) {
        let found = problems([:], flags)
        #expect(found.count == 1 && found[0].hasPrefix(expected), "\(found)")
    }
}
