import Testing
import WaldenCore

@Suite struct AddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("::1", "::1"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("::ffff:10.1.2.3", "10.1.2.3"),
        ("::fffe:10.1.2.3", "::fffe:a01:203"),
    ])
    func addressesAreReadAndPrinted(text: String, printed: String) {
        let address = IPAddress(text)
        #expect(address?.description == printed)
        #expect(address.flatMap { IPAddress(networkOrder: $0.networkOrder) } == address)
    }

    @Test(arguments: ["", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.4 ", "::1%lo", "localhost", ":::", "1::2::3"])
    func othersAreNone(text: String) {
        #expect(IPAddress(text) == nil)
        #expect(AddressRange(text) == nil)
    }

    @Test(arguments: [0, 1, 3, 5, 15, 17]) func otherLengthsAreNone(count: Int) {
        #expect(IPAddress(networkOrder: [UInt8](repeating: 1, count: count)) == nil)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.0", false), ("10.9.9.9/8", "10.0.0.0", true),
        ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "::1", false), ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false), ("192.0.2.0/31", "192.0.2.1", true), ("192.0.2.0/31", "192.0.2.2", false),
        ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::", false),
        ("2001:db8::/65", "2001:db8::7fff:0:0:0", true), ("2001:db8::/65", "2001:db8::8000:0:0:0", false),
        ("2001:db8::/64", "2001:db8::ffff:0:0:0", true), ("::/0", "2001:db8::1", true), ("::1/128", "::1", true),
        ("::1/128", "::2", false), ("10.0.0.0/8", "::ffff:10.0.0.1", true),
    ])
    func rangesHoldTheirAddresses(range: String, address: String, holds: Bool) throws {
        #expect(try #require(AddressRange(range)).contains(#require(IPAddress(address))) == holds)
    }

    @Test(arguments: ["10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8/8", "/8", "10.0.0.0/+8"])
    func malformedRangesAreNone(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test func bitsBeyondThePrefixAreCleared() {
        #expect(AddressRange("10.9.8.7/16")?.description == "10.9.0.0/16")
        #expect(AddressRange("::1")?.description == "::1/128")
    }

    @Test func endsArePrinted() throws {
        #expect("\(ClientAddress.local)" == "local")
        #expect("\(ClientAddress.ip(try #require(IPAddress("::1")), port: 5))" == "[::1]:5")
        #expect("\(ClientAddress.ip(.v4(0x7F00_0001), port: 5_432))" == "127.0.0.1:5432")
    }
}
