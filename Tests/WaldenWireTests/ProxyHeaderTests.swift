import Testing
import WaldenCore
import WaldenWire

@Suite struct ProxyHeaderTests {
    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]

    private static func find(_ bytes: [UInt8]) throws(ProxyHeader.Fault) -> ProxyHeader.Found {
        try ProxyHeader.find(in: bytes.span.bytes)
    }

    private static func binary(_ command: UInt8, _ family: UInt8, _ body: [UInt8]) -> [UInt8] {
        signature + [command, family, UInt8(body.count >> 8), UInt8(body.count & 0xFF)] + body
    }

    static let accepted: [(bytes: [UInt8], source: String?)] = [
        (Array("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n".utf8), "192.0.2.1:56324"),
        (Array("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n".utf8), "0.0.0.0:0"),
        (Array("PROXY TCP6 2001:db8::1 ::1 1 2\r\n".utf8), "[2001:db8::1]:1"),
        (Array("PROXY TCP6 ::ffff:10.0.0.1 ::1 1 2\r\n".utf8), "10.0.0.1:1"),
        (Array("PROXY UNKNOWN\r\n".utf8), nil), (Array("PROXY UNKNOWN anything at all\r\n".utf8), nil),
        (binary(0x21, 0x11, [192, 0, 2, 1, 198, 51, 100, 7, 0xDC, 0x04, 0x01, 0xBB]), "192.0.2.1:56324"),
        (
            binary(
                0x21, 0x21,
                [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1] + [UInt8](repeating: 0, count: 16)
                    + [0, 1, 0, 2]), "[2001:db8::1]:1"
        ),
        (binary(0x21, 0x31, [UInt8](repeating: 0x2F, count: 216)), nil),
        // With extensions behind the addresses.
        (binary(0x21, 0x11, [10, 0, 0, 1, 10, 0, 0, 2, 0, 9, 0, 8] + [0x03, 0, 4, 1, 2, 3, 4]), "10.0.0.1:9"),
        (binary(0x20, 0x00, []), nil), (binary(0x20, 0x11, [1, 2, 3]), nil), (binary(0x21, 0x00, [1, 2, 3]), nil),
        (binary(0x20, 0x00, [UInt8](repeating: 7, count: ProxyHeader.extensionByteLimit)), nil),
    ]

    @Test(arguments: accepted)
    func tellsTheClientsAddress(bytes: [UInt8], source: String?) throws {
        let next: [UInt8] = [0, 0, 0, 8, 4, 210, 22, 47]
        guard case .header(let header, let byteCount) = try Self.find(bytes + next) else {
            Issue.record("no header")
            return
        }
        #expect(header.source?.description == source)
        #expect(byteCount == bytes.count)
    }

    /// Whatever has arrived of a header, it is waited for.
    @Test(arguments: accepted.map(\.bytes))
    func prefixesAreIncomplete(bytes: [UInt8]) throws {
        for count in 0..<bytes.count { #expect(try Self.find(Array(bytes[..<count])) == .incomplete) }
    }

    @Test(arguments: [
        [0, 0, 0, 8, 4, 210, 22, 47], [0x16, 3, 1], Array("PROXX".utf8), Array("GET / HTTP/1.1\r\n".utf8),
        [13, 10, 13, 10, 1],
    ])
    func othersAreAbsent(bytes: [UInt8]) throws {
        #expect(try Self.find(bytes) == .absent)
    }

    @Test(arguments: [
        "PROXY\u{20}\r\n", "PROXY TCP4\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n", "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY \n",
    ])
    func malformedLineIsRefused(line: String) {
        #expect(throws: ProxyHeader.Fault.malformedLine) { try Self.find(Array(line.utf8)) }
    }

    @Test func endlessLineIsRefusedAsSoonAsItIsTooLong() throws {
        let line = Array("PROXY UNKNOWN ".utf8) + [UInt8](repeating: 0x20, count: 200)
        #expect(try Self.find(Array(line[..<106])) == .incomplete)
        #expect(throws: ProxyHeader.Fault.lineTooLong) { try Self.find(Array(line[..<107])) }
        #expect(try Self.find(Array(line[..<105]) + [13, 10]) != .incomplete)
    }

    static let refused: [([UInt8], ProxyHeader.Fault)] = [
        (binary(0x11, 0x11, []), .unknownVersion), (binary(0x22, 0x11, []), .unknownVersion),
        (binary(0x21, 0x12, [UInt8](repeating: 0, count: 12)), .unknownFamily),
        (binary(0x21, 0x41, [UInt8](repeating: 0, count: 12)), .unknownFamily),
        (binary(0x21, 0x11, [UInt8](repeating: 0, count: 11)), .addressesTooShort),
        (binary(0x21, 0x21, [UInt8](repeating: 0, count: 35)), .addressesTooShort),
        (binary(0x21, 0x31, [UInt8](repeating: 0, count: 215)), .addressesTooShort),
        // Before a byte of it has arrived.
        (signature + [0x20, 0, 0x10, 0x01], .tooLong),
    ]

    @Test(arguments: refused)
    func malformedHeaderIsRefused(bytes: [UInt8], fault: ProxyHeader.Fault) {
        #expect(throws: fault) { try Self.find(bytes) }
    }

    @Test func randomChangesNeverTrap() {
        var generator = SystemRandomNumberGenerator()
        for (bytes, _) in Self.accepted {
            for _ in 0..<200 {
                var changed = bytes
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    changed[Int.random(in: 0..<changed.count)] = .random(in: 0...255, using: &generator)
                }
                if case .header(_, let byteCount)? = try? Self.find(changed) { #expect(byteCount <= changed.count) }
            }
        }
    }
}

@Suite struct StartupNegotiationTests {
    @Test(arguments: [(0, 0, 4), (1, 1, 4), (2, 2, 32)])
    func knownVersionIsTaken(minor: Int, agreed: Int, secret: Int) {
        let message = StartupMessage(version: ProtocolVersion(major: 3, minor: minor), user: "u")
        #expect(message.negotiation == nil)
        #expect(message.agreedVersion.minor == agreed)
        #expect(message.cancelSecretByteCount == secret)
    }

    @Test(arguments: [3, 9_999])
    func newerVersionIsNegotiatedDown(minor: Int) {
        let message = StartupMessage(version: ProtocolVersion(major: 3, minor: minor), user: "u")
        #expect(message.negotiation == NegotiateProtocolVersion(version: .latest, unrecognizedOptions: []))
        #expect(message.cancelSecretByteCount == 32)
    }

    @Test func unknownOptionsAreNamed() {
        var message = StartupMessage(user: "u")
        message.protocolOptions = [.init(name: "_pq_.a", value: "1"), .init(name: "_pq_.b", value: "")]
        let expected = NegotiateProtocolVersion(version: .earliest, unrecognizedOptions: ["_pq_.a", "_pq_.b"])
        #expect(message.negotiation == expected)
        #expect(message.cancelSecretByteCount == 4)
    }
}
