import Testing
import WaldenCore

@testable import WaldenRuntime

@Suite struct AgentCheckSettingTests {
    private func load(flag: String? = nil) throws(InvalidConfiguration) -> Configuration {
        try Configuration.load(
            file: nil, environment: ["WALDEN_PRIMARY": "host=db"],
            flags: flag.map { [("--agent-check", $0)] } ?? [])
    }

    @Test func thePortIsOffUntilItIsNamed() throws {
        #expect(try load().agentCheck == nil)
        #expect(try load(flag: "127.0.0.1:6434").agentCheck == .tcp(host: "127.0.0.1", port: 6_434))
        #expect(try load(flag: "off").agentCheck == nil)
    }

    @Test(arguments: ["unix:/run/x", "nonsense", ""])
    func whatIsNoPortIsRefused(text: String) {
        #expect(throws: InvalidConfiguration.self) { try load(flag: text) }
    }
}
