import WaldenWire

/// What a client can send in its session, with a server that answers each message as PostgreSQL might.
///
/// The first byte tells whether results are kept, the second how the rest is cut into reads.
public enum ClientFuzzer {
    public static func run(_ input: [UInt8]) {
        guard input.count > 2 else { return }
        var driver = SessionDriver(isCaching: input[0] & 1 == 0, isPooled: input[0] & 2 != 0)
        var greeting = Reads(SimulatedServer.greeting[...], cut: 0)
        _ = greeting.next()
        driver.server(&greeting)
        var server = SimulatedServer(failsEach: Int(input[0] >> 1))
        var reads = Reads(input.dropFirst(2), cut: input[1])
        while reads.next() {
            // Until neither side has anything more to say.
            while true {
                driver.client(&reads)
                let answer = server.answer(driver.takeSent())
                if driver.isOver || answer.isEmpty { break }
                var answers = Reads(answer[...], cut: 0)
                _ = answers.next()
                driver.server(&answers)
            }
            if driver.isOver { return }
        }
    }
}

/// What a server may send: the client's statements are fixed.
///
/// The first byte chooses them, the second how the rest is cut into reads.
public enum ServerFuzzer {
    public static func run(_ input: [UInt8]) {
        guard input.count > 2 else { return }
        LoginFuzzer.run(input)
        var driver = SessionDriver(isCaching: input[0] & 1 == 0, isPooled: input[0] & 2 != 0)
        if input[0] & 2 != 0 {
            var greeting = Reads(SimulatedServer.greeting[...], cut: 0)
            _ = greeting.next()
            driver.server(&greeting)
        }
        var client = Reads(statements(input[0])[...], cut: 0)
        var reads = Reads(input.dropFirst(2), cut: input[1])
        _ = client.next()
        while reads.next(), !driver.isOver {
            driver.client(&client)
            driver.server(&reads)
        }
    }

    private static func statements(_ choice: UInt8) -> [UInt8] {
        var bytes: [UInt8] = []
        if choice & 4 != 0 { Query("begin").encode(into: &bytes) }
        for text in ["select 1", "update", "xset", "select 2", "discard"] {
            if choice & 8 != 0 {
                Query(text).encode(into: &bytes)
            } else {
                Parse(query: text).encode(into: &bytes)
                Bind().encode(into: &bytes)
                Describe(.portal, name: "").encode(into: &bytes)
                Execute().encode(into: &bytes)
                Sync().encode(into: &bytes)
            }
        }
        return bytes
    }
}

/// Answers every message of a client, one at a time and without a look into it.
struct SimulatedServer {
    private var input: [UInt8] = []
    private var isFailing = false
    private var count = 0
    private let failsEach: Int

    /// - Parameter failsEach: After so many messages one is answered by an error; 0: none.
    init(failsEach: Int) {
        self.failsEach = failsEach
    }

    static let greeting: [UInt8] =
        Authentication.ok.encoded() + ParameterStatus(name: "client_encoding", value: "UTF8").encoded()
        + BackendKeyData(processID: 1, secret: [1, 2, 3, 4]).encoded() + ReadyForQuery(.idle).encoded()

    mutating func answer(_ bytes: [UInt8]) -> [UInt8] {
        input += bytes
        var output: [UInt8] = []
        while let header = try? MessageHeader.parse(input.span.bytes, at: 0, limit: 1 << 30),
            header.byteCount <= input.count
        {
            input.removeFirst(header.byteCount)
            answer(FrontendTag(rawValue: header.tag), into: &output)
        }
        return output
    }

    private mutating func answer(_ tag: FrontendTag, into output: inout [UInt8]) {
        count += 1
        let endsUnit = tag == .query || tag == .sync || tag == .functionCall
        if failsEach > 0, count.isMultiple(of: failsEach), tag != .sync, !isFailing {
            ErrorResponse(sqlState: .syntaxError, message: "no").encode(into: &output)
            isFailing = tag != .query && tag != .functionCall
        } else if !isFailing {
            switch tag {
            case .parse: ParseComplete().encode(into: &output)
            case .bind: BindComplete().encode(into: &output)
            case .close: CloseComplete().encode(into: &output)
            case .describe: NoData().encode(into: &output)
            case .execute, .query: CommandComplete("SELECT 0").encode(into: &output)
            default: break
            }
        }
        guard endsUnit else { return }
        isFailing = false
        ReadyForQuery(.idle).encode(into: &output)
    }
}
