import Testing
import WaldenCore
import WaldenWire

/// The decoders again, as plain as they can be: over arrays, with C's idea of a string.
private enum Plain {
    /// PostgreSQL's `ProcessStartupPacket`: strings may run to a zero that stands behind the packet.
    static func startup(_ rest: [UInt8]) -> Result<[[UInt8]], WireError> {
        let buffer = rest + [0]
        func stringEnd(_ offset: Int) -> Int { buffer[offset...].firstIndex(of: 0) ?? buffer.count }
        var offset = 0
        var strings: [[UInt8]] = []
        while offset < rest.count, buffer[offset] != 0 {
            let nameEnd = stringEnd(offset)
            guard nameEnd + 1 < rest.count else { break }
            let valueEnd = stringEnd(nameEnd + 1)
            strings += [Array(buffer[offset..<nameEnd]), Array(buffer[(nameEnd + 1)..<valueEnd])]
            offset = valueEnd + 1
        }
        guard offset == rest.count - 1 else { return .failure(WireError(.startup(.missingTerminator))) }
        let users = stride(from: 0, to: strings.count, by: 2).filter { strings[$0] == ascii("user") }
        guard let user = users.last, !strings[user + 1].isEmpty else {
            return .failure(WireError(.startup(.missingUser)))
        }
        return .success(strings)
    }

    struct Parameters: Equatable {
        var formats: [Int] = []
        var values: [[UInt8]?] = []
        var results: [Int] = []
    }

    /// What follows the names of a Bind; nil when it is malformed in any way.
    static func parameters(_ bytes: [UInt8]) -> Parameters? {
        var rest = bytes[...]
        func number(_ count: Int) -> Int? {
            guard rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
        }
        func formats() -> [Int]? {
            guard let count = number(2) else { return nil }
            var formats: [Int] = []
            for _ in 0..<count {
                guard let format = number(2), format <= 1 else { return nil }
                formats.append(format)
            }
            return formats
        }
        var read = Parameters()
        guard let parameterFormats = formats(), let count = number(2) else { return nil }
        read.formats = parameterFormats
        for _ in 0..<count {
            guard let length = number(4) else { return nil }
            if length == 0xFFFF_FFFF {
                read.values.append(nil)
                continue
            }
            guard length <= rest.count else { return nil }
            read.values.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        guard let results = formats(), rest.isEmpty, [0, 1, count].contains(read.formats.count) else { return nil }
        read.results = results
        return read
    }
}

@Suite("The decoders agree with plain twins of theirs")
struct TwinTests {
    @Test("startup packets, with PostgreSQL's own way over a buffer", arguments: 0..<8)
    func startup(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        var accepted = 0
        for _ in 0..<5000 {
            let pieces = ["user", "a", "", "", "x", "_pq_.o", "database"]
            var rest: [UInt8] = random.next() % 2 == 0 ? ascii("user\0a\0") : []
            for _ in 0..<(random.next() % 5) {
                rest += ascii(pieces[Int(random.next() % 7)]) + (random.next() % 8 == 0 ? [] : [0])
            }
            if random.next() % 2 == 0 { rest.append(0) }
            let bytes = int32(rest.count + 8) + int32(0x0003_0000) + rest
            let read = result { () throws(WireError) in try StartupPacket.parse(bytes.span.bytes, at: 0)?.packet }
            guard rest.last == 0 else {
                // PostgreSQL takes one last byte of any value for the terminator; here it must be a zero.
                #expect(read.code == .startup(.missingTerminator))
                continue
            }
            switch (read, Plain.startup(rest)) {
            case (.success(.startup(let message)), .success(let strings)):
                accepted += 1
                expectEqual(message, strings)
            case (.failure(let error), .failure(let plain)): #expect(error == plain)
            default: Issue.record("the twins differ on \(rest)")
            }
        }
        #expect(accepted > 500)
    }

    private func expectEqual(_ message: StartupMessage, _ strings: [[UInt8]]) {
        let names = stride(from: 0, to: strings.count, by: 2).map { String(decoding: strings[$0], as: UTF8.self) }
        let values = stride(from: 1, to: strings.count, by: 2).map { String(decoding: strings[$0], as: UTF8.self) }
        let pairs = zip(names, values).map { StartupMessage.Parameter(name: $0, value: $1) }
        #expect(message.parameters == pairs.filter { !$0.name.hasPrefix("_pq_.") })
        #expect(message.protocolOptions == pairs.filter { $0.name.hasPrefix("_pq_.") })
    }

    @Test("the values of a Bind, good ones and good ones with a byte changed or cut", arguments: 0..<8)
    func bind(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        var accepted = 0
        for _ in 0..<3000 {
            var bytes = randomParameters(&random)
            switch random.next() % 4 {
            case 0: bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(random.next() % 4)
            case 1: bytes = bytes.dropLast(Int(random.next() % UInt64(bytes.count)))
            default: break
            }
            let whole = ascii("\0s\0") + bytes
            let read = result { () throws(WireError) in
                try BindView(in: whole.span.bytes, body: 0..<whole.count).parameters(in: whole.span.bytes)
            }
            let plain = Plain.parameters(bytes)
            #expect((read.value == nil) == (plain == nil))
            guard let parameters = read.value, let plain else { continue }
            accepted += 1
            #expect(parameters.values.map { $0.value.map { Array(whole[$0]) } } == plain.values)
            #expect(parameters.resultFormats.map { Int($0.rawValue) } == plain.results)
            for (index, value) in parameters.values.enumerated() {
                let format = plain.formats.count > 1 ? plain.formats[index] : plain.formats.first ?? 0
                #expect(value.isBinary == (format == 1))
            }
        }
        #expect(accepted > 1000)
    }

    /// What follows the names of a well-formed Bind.
    private func randomParameters(_ random: inout SplitMix64) -> [UInt8] {
        let values: [[UInt8]?] = (0..<(random.next() % 4)).map { _ in
            random.next() % 4 == 0 ? nil : random.bytes(count: Int(random.next() % 6))
        }
        func formats(_ count: Int) -> [FormatCode] {
            (0..<count).map { _ in random.next() % 2 == 0 ? .text : .binary }
        }
        let counts = [0, 1, values.count]
        let message = Bind(
            parameterFormats: formats(counts[Int(random.next() % 3)]), values: values,
            resultFormats: formats(Int(random.next() % 3))
        )
        return Array(body(of: message.encoded()).dropFirst(2))
    }
}
