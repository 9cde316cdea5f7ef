import Testing
import WaldenCore
import WaldenWire

/// Decoders of every kind, to be fed anything.
private let decoders: [(String, @Sendable ([UInt8], Range<Int>) throws(WireError) -> Void)] = [
    ("QueryView", { (bytes, body) throws(WireError) in _ = try QueryView(in: bytes.span.bytes, body: body) }),
    (
        "ParseView",
        { (bytes, body) throws(WireError) in
            let view = try ParseView(in: bytes.span.bytes, body: body)
            for index in 0..<view.parameterTypeCount {
                _ = try view.parameterType(at: index, in: bytes.span.bytes)
            }
        }
    ),
    (
        "BindView",
        { (bytes, body) throws(WireError) in
            _ = try BindView(in: bytes.span.bytes, body: body).parameters(in: bytes.span.bytes)
        }
    ),
    ("DescribeView", { (bytes, body) throws(WireError) in _ = try DescribeView(in: bytes.span.bytes, body: body) }),
    ("CloseView", { (bytes, body) throws(WireError) in _ = try CloseView(in: bytes.span.bytes, body: body) }),
    ("ExecuteView", { (bytes, body) throws(WireError) in _ = try ExecuteView(in: bytes.span.bytes, body: body) }),
    (
        "StartupPacket",
        { (bytes, body) throws(WireError) in _ = try StartupPacket.parse(bytes.span.bytes, at: body.lowerBound) }
    ),
    (
        "MessageHeader",
        { (bytes, body) throws(WireError) in
            _ = try MessageHeader.parse(bytes.span.bytes, at: body.lowerBound, limit: 1000)
        }
    ),
]

@Suite("Random bytes never trap a decoder, and what reads well writes back the same")
struct RandomBytesTests {
    @Test("random bodies through every message", arguments: allSamples)
    func messages(sample: Sample) {
        var random = SplitMix64(seed: UInt64(sample.bytes.count) << 8 | UInt64(sample.tag))
        for _ in 0..<400 {
            let bytes = random.bytes(count: Int(random.next() % 60))
            let start = Int(random.next() % 10)
            _ = result { () throws(WireError) in try sample.decodesBack(bytes) }
            _ = result { () throws(WireError) in
                try sample.decodesBackInside(bytes, start..<(start + Int(random.next() % 70)))
            }
        }
    }

    @Test("one byte of a good message changed", arguments: allSamples)
    func mutated(sample: Sample) {
        var random = SplitMix64(seed: UInt64(sample.bytes.count) << 16 | UInt64(sample.tag))
        let whole = body(of: sample.bytes)
        guard !whole.isEmpty else { return }
        for _ in 0..<400 {
            var bytes = whole
            bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            let read = result { () throws(WireError) in try sample.decodesBack(bytes) }
            // Reading back as the same value from other bytes would lose what a client sent.
            if read.value == true { #expect(bytes == whole) }
        }
    }

    @Test("random bodies through every view and the framing", arguments: decoders.indices)
    func views(index: Int) {
        var random = SplitMix64(seed: UInt64(index))
        for _ in 0..<4000 {
            let bytes = random.bytes(count: Int(random.next() % 60))
            let start = Int(random.next() % 10)
            _ = result { () throws(WireError) in
                try decoders[index].1(bytes, start..<(start + Int(random.next() % 70)))
            }
        }
    }

    @Test("random startup packets with a good length")
    func startupPackets() {
        var random = SplitMix64(seed: 3)
        var read = 0
        for _ in 0..<20_000 {
            let codes = [0x0003_0000, 0x0003_0002, 80_877_102, 80_877_103, 80_877_104, Int(random.next() % 0x50000)]
            let rest = ascii("user\0") + random.bytes(count: Int(random.next() % 12))
            let code = codes[Int(random.next() % 6)]
            let bytes = int32(rest.count + 8) + int32(code) + rest
            let packet = result { () throws(WireError) in try StartupPacket.parse(bytes.span.bytes, at: 0)?.packet }
            guard case .startup(let message)? = packet.value ?? nil else { continue }
            read += 1
            #expect(!message.user.isEmpty)
        }
        #expect(read > 50)
    }

    @Test("what a view finds is what a plain walk over an array finds")
    func twin() {
        var random = SplitMix64(seed: 4)
        for _ in 0..<20_000 {
            let bytes = random.bytes(count: Int(random.next() % 48))
            let start = Int(random.next() % 4)
            let end = start + Int(random.next() % 48)
            let view = result { () throws(WireError) in try BindView(in: bytes.span.bytes, body: start..<end) }.value
            #expect(view?.portal == plainNames(bytes, start, end)?.portal)
            #expect(view?.statement == plainNames(bytes, start, end)?.statement)
            #expect(view?.rest == plainNames(bytes, start, end)?.rest)
        }
    }

    private func plainNames(
        _ bytes: [UInt8], _ start: Int, _ end: Int
    ) -> (portal: Range<Int>, statement: Range<Int>, rest: Range<Int>)? {
        let end = min(end, bytes.count)
        guard start <= end, let first = bytes[start..<end].firstIndex(of: 0),
            let second = bytes[(first + 1)..<end].firstIndex(of: 0)
        else { return nil }
        return (start..<first, (first + 1)..<second, (second + 1)..<end)
    }

    @Test(
        "the first zero is found at every place and alignment, past bytes that look like it",
        arguments: [1, 0x80, 0xFF])
    func firstZero(filler: UInt8) {
        for length in 0..<40 {
            for lead in 0..<9 {
                let text = [UInt8](repeating: filler, count: length)
                // The bytes 1 and 0x80 after a zero are those on which a careless word-wise search stumbles.
                let bytes = Array(repeating: 0, count: lead) + text + [0, 1, 0x80, 0, 1, 1, 1, 1, 1]
                let view = result { () throws(WireError) in try BindView(in: bytes.span.bytes, body: lead..<bytes.count)
                }
                #expect(view.value?.portal == lead..<(lead + length))
                #expect(view.value?.statement == (lead + length + 1)..<(lead + length + 3))
            }
        }
    }
}
