import Glibc
import Testing
import WaldenAuth
import WaldenCore
import WaldenProxy

@testable import WaldenRuntime

/// Which clients Walden authenticates itself, and by which files.
@Suite struct AuthenticationConfigurationTests {
    /// A file that goes with the value.
    private final class TemporaryFile {
        let path: String

        init(_ content: String) throws {
            var template = Array("/tmp/walden-test-XXXXXX".utf8CString)
            let descriptor = mkstemp(&template)
            path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let bytes = Array(content.utf8)
            let written = write(descriptor, bytes, bytes.count)
            close(descriptor)
            try #require(written == bytes.count)
        }

        deinit {
            unlink(path)
        }
    }

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
        let users = try TemporaryFile("\"a\" \"secret\"\n")
        #expect(try settings([("--auth-user-file", users.path)]).users.count == 1)
        let bad = try TemporaryFile("\"a\" \"x\"\n\"b\" secret\n")
        let problem = #expect(throws: ConfigurationProblem.self) { try settings([("--auth-user-file", bad.path)]) }
        #expect(problem?.origin == "\(bad.path):2" && problem?.key == "auth.user_file")
        #expect(problem?.description.contains("secret\n") == false)
        let rules = try TemporaryFile("host all all all ldap\n")
        let ldap = #expect(throws: ConfigurationProblem.self) {
            try settings([("--auth-method", "hba"), ("--auth-hba-file", rules.path)])
        }
        #expect(ldap?.origin == "\(rules.path):1" && ldap?.key == "auth.hba_file")
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
