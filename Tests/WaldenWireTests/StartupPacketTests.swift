import Testing
import WaldenCore
import WaldenWire

private func parse(_ bytes: [UInt8], at offset: Int = 0) -> Result<StartupPacketRead?, WireError> {
    result { () throws(WireError) in
        try StartupPacket.parse(bytes.span.bytes, at: offset).map { StartupPacketRead($0.packet, $0.byteCount) }
    }
}

private struct StartupPacketRead: Equatable {
    let packet: StartupPacket
    let byteCount: Int

    init(_ packet: StartupPacket, _ byteCount: Int) {
        self.packet = packet
        self.byteCount = byteCount
    }
}

private func packet(_ version: Int, _ rest: [UInt8]) -> [UInt8] {
    int32(rest.count + 8) + int32(version) + rest
}

private let version30 = 0x0003_0000

private let samples: [StartupPacket] = [
    .sslRequest,
    .gssEncRequest,
    .cancelRequest(processID: -1, secret: [1, 2, 3, 4]),
    .cancelRequest(processID: 4711, secret: Array(repeating: 0xCD, count: 256)),
    .startup(StartupMessage(user: "alice", database: "shop")),
    .startup(StartupMessage(version: .latest, user: "alice")),
    .startup(
        StartupMessage(
            version: ProtocolVersion(major: 3, minor: 9999),
            parameters: [
                .init(name: "user", value: "älice"), .init(name: "options", value: "-c a=b --c=d"),
                .init(name: "application_name", value: ""),
            ],
            protocolOptions: [.init(name: "_pq_.x", value: "1")]
        )
    ),
]

@Suite("Startup packets")
struct StartupPacketTests {
    @Test("read back as written, in one gulp and after other bytes", arguments: samples)
    func roundTrip(sample: StartupPacket) {
        var bytes: [UInt8] = [9, 9, 9]
        sample.encode(into: &bytes)
        let byteCount = bytes.count - 3
        #expect(parse(bytes, at: 3) == .success(StartupPacketRead(sample, byteCount)))
        #expect(parse(bytes + [1, 2, 3], at: 3) == .success(StartupPacketRead(sample, byteCount)))
    }

    @Test("byte by byte there is nothing until the last byte", arguments: samples)
    func byteByByte(sample: StartupPacket) {
        var bytes: [UInt8] = []
        sample.encode(into: &bytes)
        for count in bytes.indices {
            #expect(parse(Array(bytes.prefix(count))) == .success(nil))
        }
    }

    @Test("the bytes are those of the protocol chapter")
    func bytes() {
        func encoded(_ packet: StartupPacket) -> [UInt8] {
            var bytes: [UInt8] = []
            packet.encode(into: &bytes)
            return bytes
        }
        #expect(encoded(.sslRequest) == int32(8) + int32(80_877_103))
        #expect(encoded(.gssEncRequest) == int32(8) + int32(80_877_104))
        #expect(
            encoded(.cancelRequest(processID: 7, secret: [1, 2, 3, 4]))
                == int32(16) + int32(80_877_102) + int32(7) + [1, 2, 3, 4]
        )
        #expect(
            encoded(.startup(StartupMessage(user: "u", database: "d")))
                == int32(27) + int32(196_608) + ascii("user\0u\0database\0d\0\0")
        )
    }

    @Test(
        "lengths outside 8...10,004 are refused as soon as they are there",
        arguments: [0, 4, 7, 10_005, -1, 0x1603_0100])
    func length(declared: Int) {
        #expect(parse(int32(declared)).code == .startup(.invalidLength))
    }

    @Test("the greatest length is accepted")
    func greatestLength() {
        let value = [UInt8](repeating: 0x61, count: 10_000 - 4 - 7)
        let bytes = packet(version30, ascii("user\0") + value + [0, 0])
        #expect(bytes.count == 10_004)
        #expect(parse(bytes).value??.byteCount == 10_004)
    }

    @Test(
        "layouts that PostgreSQL refuses",
        arguments: [
            ([], .missingTerminator),
            (ascii("user\0a\0"), .missingTerminator),
            (ascii("user\0a"), .missingTerminator),
            (ascii("user"), .missingTerminator),
            (ascii("user\0"), .missingTerminator),
            (ascii("user\0a\0\0\0"), .missingTerminator),
            (ascii("user\0a\0\0x\0"), .missingTerminator),
            (ascii("user\0a\0x"), .missingTerminator),
            (ascii("user\0a\0database\0\0"), .missingTerminator),
            (ascii("\0"), .missingUser),
            (ascii("database\0d\0\0"), .missingUser),
            (ascii("user\0\0\0"), .missingUser),
            (ascii("user\0a\0user\0\0\0"), .missingUser),
            (ascii("User\0a\0\0"), .missingUser),
        ] as [([UInt8], WireError.StartupFault)]
    )
    func layout(rest: [UInt8], fault: WireError.StartupFault) {
        #expect(parse(packet(version30, rest)).code == .startup(fault))
    }

    @Test("text that is not UTF-8 is refused")
    func notUTF8() {
        #expect(
            parse(packet(version30, ascii("user\0") + [0xE9, 0, 0])).code == .malformed(tag: 0, .invalidText)
        )
    }

    @Test(
        "protocols other than 3 are refused by number",
        arguments: [(2, 0), (4, 0), (0, 3), (1234, 5677), (65_535, 65_535)])
    func unsupported(major: Int, minor: Int) {
        let code = parse(packet(major << 16 | minor, ascii("\0"))).code
        #expect(code == .unsupportedProtocol(major: major, minor: minor))
    }

    @Test("any minor version of 3 is read; what to do with it is for the session", arguments: [0, 1, 2, 3, 9999])
    func minorVersions(minor: Int) throws {
        let read = try #require(parse(packet(version30 + minor, ascii("user\0a\0\0"))).value ?? nil)
        guard case .startup(let message) = read.packet else {
            Issue.record("not a startup message")
            return
        }
        #expect(message.major == 3)
        #expect(message.minor == minor)
        #expect((message.version > .latest) == (minor > 2))
    }

    @Test("secrets outside 4...256 bytes", arguments: [0, 1, 3, 257, 1000])
    func secret(count: Int) {
        let bytes = packet(80_877_102, int32(1) + Array(repeating: 5, count: count))
        #expect(parse(bytes).code == .startup(.invalidCancelKeyLength))
    }

    @Test("a cancel request without a process", arguments: 0..<4)
    func shortCancel(count: Int) {
        let bytes = packet(80_877_102, Array(repeating: 5, count: count))
        #expect(parse(bytes).code == .startup(.invalidCancelRequestLength))
    }

    @Test("a request for encryption may be longer than it need be, as in PostgreSQL")
    func longSSLRequest() {
        #expect(parse(packet(80_877_103, [1, 2, 3])) == .success(StartupPacketRead(.sslRequest, 11)))
    }

    @Test("an offset outside the bytes finds nothing", arguments: [8, 9, 100, .max])
    func offset(offset: Int) {
        #expect(parse(packet(80_877_103, []), at: offset) == .success(nil))
    }
}

@Suite("What a startup message says")
struct StartupMessageTests {
    @Test("the database is the user's name unless one is given", arguments: [nil, ""])
    func database(given: String?) {
        #expect(StartupMessage(user: "alice", database: given).database == "alice")
        #expect(StartupMessage(user: "alice", database: "shop").database == "shop")
    }

    @Test("of a parameter given twice the last counts, and the order stays")
    func repeated() throws {
        let rest = ascii("user\0a\0search_path\0x\0user\0b\0search_path\0y\0\0")
        let read = try #require(parse(packet(version30, rest)).value ?? nil)
        guard case .startup(let message) = read.packet else {
            Issue.record("not a startup message")
            return
        }
        #expect(message.user == "b")
        #expect(message["search_path"] == "y")
        #expect(message["options"] == nil)
        #expect(message.parameters.map(\.name) == ["user", "search_path", "user", "search_path"])
        #expect(message.parameters.map(\.value) == ["a", "x", "b", "y"])
    }

    @Test("protocol options are kept apart")
    func protocolOptions() throws {
        let rest = ascii("_pq_.x\0on\0user\0a\0_pq_.y\0\0_pq\0z\0\0")
        let read = try #require(parse(packet(version30, rest)).value ?? nil)
        guard case .startup(let message) = read.packet else {
            Issue.record("not a startup message")
            return
        }
        #expect(message.protocolOptions.map(\.name) == ["_pq_.x", "_pq_.y"])
        #expect(message.parameters.map(\.name) == ["user", "_pq"])
    }

    @Test("names and values are compared by their bytes, as PostgreSQL compares them")
    func byBytes() throws {
        let composed = StartupMessage(user: "caf\u{E9}")
        let decomposed = StartupMessage(user: "cafe\u{301}")
        #expect(composed.user == decomposed.user)
        #expect(composed != decomposed)
        let rest = ascii("user\0a\0_pq_.") + ascii("\u{301}\0x\0\0")
        let read = try #require(parse(packet(version30, rest)).value ?? nil)
        guard case .startup(let message) = read.packet else {
            Issue.record("not a startup message")
            return
        }
        #expect(message.protocolOptions.count == 1)
    }

    @Test("names of parameters keep their case, values their spaces and escapes")
    func verbatim() throws {
        let rest = ascii("user\0a\0Application_Name\0 My App \0options\0-c a=b\\ c\0\0")
        let read = try #require(parse(packet(version30, rest)).value ?? nil)
        guard case .startup(let message) = read.packet else {
            Issue.record("not a startup message")
            return
        }
        #expect(message["Application_Name"] == " My App ")
        #expect(message["application_name"] == nil)
        #expect(message["options"] == "-c a=b\\ c")
    }
}

@Suite("Protocol versions")
struct ProtocolVersionTests {
    @Test("major and minor are halves of one number")
    func halves() {
        #expect(ProtocolVersion(major: 3, minor: 2).rawValue == 0x0003_0002)
        #expect(ProtocolVersion(rawValue: 0x04D2_162F).major == 1234)
        #expect(ProtocolVersion(rawValue: 0x04D2_162F).minor == 5679)
        #expect("\(ProtocolVersion.latest)" == "3.2")
        #expect(ProtocolVersion.earliest < .latest)
        #expect(min(ProtocolVersion(major: 3, minor: 3), .latest) == .latest)
    }
}
