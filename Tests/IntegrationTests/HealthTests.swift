import Glibc
import Testing
import WaldenTestKit

/// Scenario: a balancer asks a Walden before a primary and a standby. Risk: it goes on sending clients where nothing is served,
/// or stops where all is well.
@Suite struct HealthTests {
    @Test(.againstHanging) func balancersAreToldWhoServes() throws {
        let agent = try Ports.free()
        var configuration = WaldenStack.Configuration()
        configuration.cluster.standbys = 1
        configuration.usesStandbys = true
        configuration.flags = ["--agent-check", "127.0.0.1:\(agent)"]
        let stack = try WaldenStack.start(configuration)
        let standby = try #require(stack.cluster.standbys.first)
        try eventually("the standby is seen") { try stack.walden.get("/replica").status == 200 }
        #expect(
            try stack.walden.get("/primary").body
                == #"{"fit":true,"asked":"primary","node":"primary","reason":null}"# + "\n")
        #expect(try stack.walden.get("/read-only").status == 200)
        #expect(try stack.walden.get("/replica?node=primary").status == 503)
        #expect(try stack.walden.get("/replica?lag=nonsense").status == 400)
        #expect(try line(agent) == "up ready 100%\n")
        standby.freeze()
        try eventually("a standby that does not answer is unfit") { try stack.walden.get("/replica").status == 503 }
        #expect(try stack.walden.get("/read-only").status == 200)
        standby.thaw()
        try eventually("it answers again") { try stack.walden.get("/replica").status == 200 }
        stack.cluster.primary.freeze()
        try eventually("a frozen primary is unfit") { try stack.walden.get("/primary").status == 503 }
        stack.cluster.primary.thaw()
        try eventually("it answers again") { try stack.walden.get("/primary").status == 200 }
        try stack.cluster.primary.kill()
        try eventually("a dead primary is unfit") { try stack.walden.get("/primary").status == 503 }
        #expect(try stack.walden.get("/primary?node=primary").body.contains(#""fit":false"#))
        #expect(try line(agent).hasPrefix("down #primary: "))
    }

    /// New clients are to go elsewhere while those that are there end their work.
    @Test(.againstHanging) func anInstanceThatStopsIsDrained() throws {
        let agent = try Ports.free()
        var configuration = WaldenStack.Configuration()
        configuration.flags = ["--agent-check", "127.0.0.1:\(agent)"]
        let stack = try WaldenStack.start(configuration)
        let client = try stack.proxied()
        try client.query("BEGIN")
        try client.query("CREATE TABLE kept (id bigint)")
        stack.walden.signal(SIGTERM)
        try eventually("the agent check says so") { try line(agent) == "drain\n" }
        #expect(
            try stack.walden.get("/primary").body
                == #"{"fit":false,"asked":"primary","node":null,"reason":"Walden is stopping"}"# + "\n")
        #expect(try stack.walden.get("/primary?node=primary").status == 200)
        try client.query("COMMIT")
        #expect(try stack.walden.waitForExit() == .exited(0))
    }

    /// What the agent check says to who connects.
    private func line(_ port: Int) throws -> String {
        let client = try ProtocolClient(port: port)
        var line = ""
        while !line.hasSuffix("\n") { line.append(try client.receiveByte()) }
        return line
    }
}
