import Testing
import WaldenCore
import WaldenWire

/// Cuts a stream into messages as a reader does: bytes come in pieces, whole messages go out.
private struct Framer {
    private var buffer: [UInt8] = []
    let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    mutating func feed(_ piece: some Sequence<UInt8>) throws(WireError) -> [[UInt8]] {
        buffer += piece
        var messages: [[UInt8]] = []
        while let header = try MessageHeader.parse(buffer.span.bytes, at: 0, limit: limit),
            header.byteCount <= buffer.count
        {
            messages.append(Array(buffer.prefix(header.byteCount)))
            buffer.removeFirst(header.byteCount)
        }
        return messages
    }

    var isEmpty: Bool { buffer.isEmpty }
}

@Suite("A stream in pieces of any size gives the same messages")
struct StreamTests {
    private static let messages = allSamples.map(\.bytes)

    @Test("byte by byte, each message is there with its last byte and not before")
    func byteByByte() throws {
        var framer = Framer(limit: 1000)
        for message in Self.messages {
            for byte in message.dropLast() {
                #expect(try framer.feed([byte]).isEmpty)
            }
            #expect(try framer.feed(message.suffix(1)) == [message])
        }
        #expect(framer.isEmpty)
    }

    @Test("in one gulp")
    func gulp() throws {
        var framer = Framer(limit: 1000)
        #expect(try framer.feed(Self.messages.joined()) == Self.messages)
        #expect(framer.isEmpty)
    }

    @Test("in pieces of random size", arguments: 0..<20)
    func pieces(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let stream = Array(Self.messages.joined())
        var framer = Framer(limit: 1000)
        var received: [[UInt8]] = []
        var offset = 0
        while offset < stream.count {
            let end = min(stream.count, offset + 1 + Int(random.next() % 90))
            received += try framer.feed(stream[offset..<end])
            offset = end
        }
        #expect(received == Self.messages)
        #expect(framer.isEmpty)
    }

    @Test("a message above the limit is refused with its fifth byte, after those before it")
    func limit() throws {
        var framer = Framer(limit: 20)
        let query = Query("SELECT 1").encoded()
        #expect(try framer.feed(query) == [query])
        let large = Query("SELECT 'more than twenty bytes'").encoded()
        #expect(try framer.feed(large.prefix(4)).isEmpty)
        #expect(throws: WireError(.lengthOutOfRange(declared: large.count - 1, limit: 20))) {
            try framer.feed(large.dropFirst(4).prefix(1))
        }
    }

    @Test("a bad length after a good message does not cost the good one its reading", arguments: [0, 3, -1])
    func badLength(declared: Int) throws {
        let bytes = Sync().encoded() + [0x51] + int32(declared)
        let first = try #require(header(bytes).value ?? nil)
        #expect(first.byteCount == 5)
        #expect(header(bytes, at: 5).code == .lengthOutOfRange(declared: declared, limit: 1000))
    }

    @Test("startup, answers and first query in one gulp are told apart")
    func startupThenMessages() throws {
        var bytes: [UInt8] = []
        StartupPacket.startup(StartupMessage(user: "alice")).encode(into: &bytes)
        let startupBytes = bytes.count
        PasswordMessage(ascii("pw")).encode(into: &bytes)
        Query("SELECT 1").encode(into: &bytes)
        let read = result { () throws(WireError) in try StartupPacket.parse(bytes.span.bytes, at: 0)?.byteCount }
        #expect(read == .success(startupBytes))
        let password = try #require(header(bytes, at: startupBytes).value ?? nil)
        #expect(FrontendTag(rawValue: password.tag) == .password)
        let query = try #require(header(bytes, at: startupBytes + password.byteCount).value ?? nil)
        #expect(FrontendTag(rawValue: query.tag) == .query)
    }
}
