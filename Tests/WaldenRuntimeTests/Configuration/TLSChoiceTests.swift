import Testing
import WaldenCore
import WaldenPostgres
import WaldenProxy

@testable import WaldenRuntime

/// Where the encryption of clients' connections to servers is read from.
@Suite struct TLSChoiceTests {
    private static let nowhere = HomeFiles(directory: "/home/u") { _ in false }

    private static func settings(
        _ dsn: String, primary: String = "host=p", _ change: (inout TLSChoices) -> Void = { _ in },
        home: HomeFiles = nowhere
    ) throws -> ServerTLSSettings {
        var choices = TLSChoices()
        change(&choices)
        return try choices.server(DSN(dsn), primary: DSN(primary), home: home)
    }

    @Test func connectionStringDecides() throws {
        let settings = try Self.settings(
            "host=db sslmode=verify-full sslrootcert=/r sslcert=/c sslkey=/k sslpassword=pw ssl_min_protocol_version=TLSv1.3"
        )
        #expect(settings.mode == .verifyFull)
        #expect(settings.roots == .file("/r"))
        #expect(settings.identity?.certificateFile == "/c")
        #expect(settings.identity?.keyFile == "/k")
        #expect(settings.minimumVersion == .tls13)
        #expect(settings.serverName == "db")
        #expect(!"\(settings)".contains("pw"))
    }

    @Test func replicasStringGoesBeforeThePrimarys() throws {
        let primary = "host=p sslmode=verify-ca sslrootcert=/r"
        #expect(try Self.settings("host=r", primary: primary).mode == .verifyCA)
        #expect(try Self.settings("host=r", primary: primary).roots == .file("/r"))
        #expect(try Self.settings("host=r sslmode=disable", primary: primary).mode == .disable)
        #expect(try Self.settings("host=r", primary: primary).serverName == "r")
    }

    @Test func settingsGoBeforeBoth() throws {
        let settings = try Self.settings("host=a sslmode=disable sslrootcert=/r") {
            $0.serverMode = "require"
            $0.serverAuthorities = "/other"
            $0.serverNegotiation = "direct"
        }
        #expect(settings.mode == .require)
        #expect(settings.roots == .file("/other"))
        #expect(settings.isDirect)
    }

    @Test func defaultsAreLibpqs() throws {
        let bare = try Self.settings("host=127.0.0.1")
        #expect(bare.mode == .prefer)
        #expect(bare.roots == .none)
        #expect(bare.identity == nil)
        let home = HomeFiles(directory: "/home/u") { _ in true }
        let full = try Self.settings("host=a", home: home)
        #expect(full.roots == .file("/home/u/.postgresql/root.crt"))
        #expect(full.identity?.certificateFile == "/home/u/.postgresql/postgresql.crt")
        #expect(full.identity?.keyFile == "/home/u/.postgresql/postgresql.key")
        #expect(try Self.settings("host=/run/postgresql").serverName == nil)
        #expect(try Self.settings("host=db hostaddr=10.0.0.1").serverName == "db")
    }

    @Test(arguments: [
        ("host=a sslmode=require sslcrl=/x", "revocation"), ("host=a sslrootcert=system", "verify-full"),
    ])
    func whatCannotBeHadIsRefused(dsn: String, words: String) {
        let problem = #expect(throws: ConfigurationProblem.self) { try Self.settings(dsn) }
        #expect(problem?.reason.contains(words) ?? false)
    }

    @Test func directNeedsAModeWithoutAWayBack() {
        let problem = #expect(throws: ConfigurationProblem.self) {
            try Self.settings("host=a") { $0.serverNegotiation = "direct" }
        }
        #expect(problem?.key == "tls.server.negotiation")
    }

    @Test func contradictionsAreTold() {
        let found = problems([:], [("--tls-client-mode", "verify-ca"), ("--proxy-proxy-protocol", "require")])
        for key in ["cert_file", "key_file", "ca_file", "proxy_protocol_from"] {
            #expect(found.contains { $0.contains(key) }, "\(found)")
        }
        #expect(problems([:], [("--proxy-proxy-protocol-from", "10.0.0.0/40")]).count == 1)
        #expect(problems([:], [("--tls-server-mode", "sometimes")]).count == 1)
    }

    @Test func peersHaveNumbers() throws {
        let peers = [("--proxy-peer-id", "1"), ("--proxy-peers", "1=a:6432"), ("--proxy-peers", "127=[::1]:6432")]
        let proxy = try load([:], peers).proxyConfiguration(try DSN("host=db"), serverTLS: [])
        #expect(proxy.peerID == 1)
        // Itself it does not ask.
        #expect(proxy.peers == [127: .tcp(host: "::1", port: 6432)])
        #expect(try load().proxyConfiguration(try DSN("host=db"), serverTLS: []).peerID == nil)
        for wrong in ["a:6432", "=a:6432", "0=a:6432", "128=a:6432", "2=a", "2=", "2=a:1;2=b:1"] {
            #expect(problems(["WALDEN_PROXY_PEERS": wrong, "WALDEN_PROXY_PEER_ID": "1"], []).count == 1, "\(wrong)")
        }
        #expect(problems([:], [("--proxy-peers", "2=a:6432")]).contains { $0.contains("proxy.peer_id") })
    }

    @Test func encryptionIsReloadable() throws {
        let new = try load([:], [("--tls-server-mode", "require"), ("--proxy-proxy-protocol-from", "::1")])
        let difference = try load().differences(to: new)
        #expect(difference.reloadable == ["tls.server.mode"])
        #expect(difference.needRestart == ["proxy.proxy_protocol_from"])
    }
}
