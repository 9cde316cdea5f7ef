import Testing
import WaldenCore
import WaldenSession

@Suite struct ProxyHeaderPolicyTests {
    static let expected: [(ProxyHeaderPolicy.Mode, String, FrontPolicy.ProxyHeaderUse?)] = [
        (.off, "10.1.1.1", .refused), (.off, "192.0.2.1", .refused),
        (.accept, "10.1.1.1", .accepted), (.accept, "192.0.2.1", .refused), (.accept, "2001:db8::1", .accepted),
        (.require, "10.1.1.1", .required), (.require, "192.0.2.1", nil), (.require, "2001:db9::1", nil),
    ]

    @Test(arguments: expected)
    func listedBalancersAreTrusted(
        mode: ProxyHeaderPolicy.Mode, peer: String, use: FrontPolicy.ProxyHeaderUse?
    ) throws {
        let trusted = ["10.0.0.0/8", "2001:db8::/32"].compactMap { AddressRange($0) }
        let policy = ProxyHeaderPolicy(mode: mode, trusted: trusted)
        #expect(try policy.use(for: .ip(#require(IPAddress(peer)), port: 1)) == use)
        #expect(policy.use(for: .local) == .refused)
    }
}
