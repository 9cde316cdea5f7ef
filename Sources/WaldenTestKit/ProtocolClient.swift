/// A client that speaks the protocol message by message, legal or not, and sees every byte of the answer.
///
/// Not for more than one thread at a time.
public final class ProtocolClient {
    /// The longest wait for one message.
    public var timeout: Duration = .seconds(20)
    /// What the server gave for cancelling; zero and empty before it did.
    public private(set) var processID: Int32 = 0
    public private(set) var cancelKey: [UInt8] = []
    /// The latest value of each setting that the server reported.
    public private(set) var parameters: [String: String] = [:]
    private let socket: Socket
    private var buffer: [UInt8] = []
    private var consumed = 0

    /// Opens a TCP connection to loopback and sends nothing.
    public init(port: Int) throws {
        socket = try Socket(port: port)
    }

    public init(socketPath: String) throws {
        socket = try Socket(path: socketPath)
    }

    /// Opens a connection and starts a session without a password.
    public convenience init(
        port: Int, user: String = "postgres", database: String = "postgres", _ more: [(String, String)] = []
    ) throws {
        try self.init(port: port)
        try start(user: user, database: database, more)
    }

    /// Sends the startup packet and reads up to the first ReadyForQuery.
    @discardableResult
    public func start(
        user: String = "postgres", database: String = "postgres", _ more: [(String, String)] = [],
        version: Int32 = FrontendMessage.protocol30
    ) throws -> [BackendMessage] {
        try send(FrontendMessage.startup([("user", user), ("database", database)] + more, version: version))
        return try receiveUntilReady()
    }

    /// Sends all of them in one write.
    public func send(_ messages: [UInt8]...) throws {
        try sendTogether(messages)
    }

    private func sendTogether(_ messages: [[UInt8]]) throws {
        try socket.send(messages.count == 1 ? messages[0] : messages.reduce(into: [], +=), timeout: timeout)
    }

    public func receive() throws -> BackendMessage {
        let header = try take(5)
        let length = header[1...].reduce(0) { $0 << 8 | Int($1) }
        guard length >= 4, length < 1 << 30 else { throw TestKitError("a message with length \(length)") }
        let message = BackendMessage(tag: Unicode.Scalar(header[0]), body: try take(length - 4))
        note(message)
        return message
    }

    /// The messages up to and with the given number of ReadyForQuery, or up to one of the tags in `or`.
    public func receiveUntilReady(
        _ count: Int = 1, or tags: Set<Unicode.Scalar> = []
    ) throws -> [BackendMessage] {
        var messages: [BackendMessage] = []
        var left = count
        while left > 0 {
            let message = try receive()
            messages.append(message)
            if tags.contains(message.tag) { break }
            if message.tag == "Z" { left -= 1 }
        }
        return messages
    }

    /// Sends messages that end in a Sync or are a Query, and reads the answer.
    @discardableResult
    public func exchange(_ messages: [UInt8]...) throws -> [BackendMessage] {
        try sendTogether(messages)
        return try receiveUntilReady()
    }

    /// One byte that is no message: the answer to an SSLRequest.
    public func receiveByte() throws -> Character {
        Character(Unicode.Scalar(try take(1)[0]))
    }

    /// Reads and drops messages until the peer closes; the messages, or an error when it keeps the connection open.
    public func receiveUntilClosed() throws -> [BackendMessage] {
        var messages: [BackendMessage] = []
        while let message = try receiveUnlessClosed() { messages.append(message) }
        return messages
    }

    /// The next message, or nil when the peer has closed behind the last one.
    public func receiveUnlessClosed() throws -> BackendMessage? {
        if buffer.count == consumed {
            let more = try socket.receive(limit: 65_536, timeout: timeout)
            if more.isEmpty { return nil }
            buffer = more
            consumed = 0
        }
        return try receive()
    }

    /// Whether reading would bring something at once: bytes, or the news that the peer has closed.
    public var hasInput: Bool {
        consumed < buffer.count || socket.hasInput
    }

    /// Reads `count` bytes of whatever comes, a slow reader's sip.
    public func sip(_ count: Int) throws {
        _ = try take(count)
    }

    /// Closes our half only.
    public func finishSending() {
        socket.finishSending()
    }

    /// Has the connection reset, not closed in good order, when this goes away.
    public func resetOnClose() {
        socket.resetOnClose()
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while buffer.count - consumed < count {
            if consumed > 0 {
                buffer.removeFirst(consumed)
                consumed = 0
            }
            let more = try socket.receive(limit: max(65_536, count - buffer.count), timeout: timeout)
            if more.isEmpty { throw TestKitError("the peer closed the connection") }
            buffer += more
        }
        defer { consumed += count }
        return Array(buffer[consumed..<(consumed + count)])
    }

    private func note(_ message: BackendMessage) {
        switch message.tag {
        case "K":
            processID = message.integer(at: 0, as: Int32.self)
            cancelKey = Array(message.body.dropFirst(4))
        case "S":
            let strings = message.strings
            parameters[strings.first ?? ""] = strings.count > 1 ? strings[1] : ""
        default:
            break
        }
    }
}
