public import WaldenWire

/// What a pool says and hears on a link that serves no client: a test whether it lives, what cleans it after a client,
/// and what a server says by itself.
///
/// Governs a link between its login and its next client, and from there to the next:
///
///     resting ◄──last ReadyForQuery── asking ◄──begin── resting
///
/// The server may report settings and send notices at any time. Whatever else comes unasked (an error, which is its last
/// word before it closes; a notification, which means that some client's LISTEN was left behind; rows) makes the link
/// useless: it is closed and no client gets to see it.
public struct LinkUpkeep: Hashable, Sendable {
    /// Why the server is asked.
    public enum Task: Hashable, Sendable {
        /// Whether it still answers: an empty query.
        case test
        /// `rollsBack`: a client left a transaction open. `discards`: everything that a session may have left is reset.
        case clean(rollsBack: Bool, discards: Bool)
    }

    public enum Step: Hashable, Sendable {
        /// Nothing until more bytes have come.
        case wait
        case drop(byteCount: Int)
        case parameter(byteCount: Int, ParameterStatus)
        /// All that was asked is answered; the link can serve.
        case finished(byteCount: Int)
        /// The link is to be closed.
        case broken(Fault)
    }

    /// Why a link can serve no longer.
    public enum Fault: Hashable, Sendable {
        /// The server said why, mostly on its way out.
        case refused(ErrorResponse)
        /// It sent what nothing asked for.
        case unasked(BackendTag)
        /// A transaction is open although it was rolled back.
        case notIdle
        case malformed(WireError)
    }

    /// Messages that may be read whole here: errors and notices with long texts.
    static let messageByteLimit = 1 << 20

    /// ReadyForQuery messages that are to come.
    private var owed = 0

    public init() {}

    /// What to send for a task.
    public mutating func begin(_ task: Task) -> [UInt8] {
        var bytes: [UInt8] = []
        switch task {
        case .test: ask("", &bytes)
        case .clean(let rollsBack, let discards):
            // DISCARD ALL cannot run in a transaction block, which two statements in one message would be.
            if rollsBack { ask("ROLLBACK", &bytes) }
            if discards { ask("DISCARD ALL", &bytes) }
        }
        return bytes
    }

    private mutating func ask(_ text: String, _ bytes: inout [UInt8]) {
        Query(text).encode(into: &bytes)
        owed += 1
    }

    /// Whether an answer is awaited.
    public var isAsking: Bool { owed > 0 }

    /// What to do with the front of the server's unread bytes. The shell drops the bytes that a step counts, then asks
    /// again.
    public mutating func next(_ input: borrowing RawSpan) -> Step {
        do throws(WireError) {
            guard let header = try MessageHeader.parse(input, at: 0, limit: Self.messageByteLimit),
                input.byteCount >= header.byteCount
            else { return .wait }
            return try act(on: header, input)
        } catch {
            return .broken(.malformed(error))
        }
    }

    private mutating func act(on header: MessageHeader, _ input: borrowing RawSpan) throws(WireError) -> Step {
        let body = header.body(at: 0)
        let tag = BackendTag(rawValue: header.tag)
        switch tag {
        case .noticeResponse: return .drop(byteCount: header.byteCount)
        case .parameterStatus:
            return .parameter(byteCount: header.byteCount, try ParameterStatus(in: input, body: body))
        case .errorResponse: return .broken(.refused(try ErrorResponse(in: input, body: body)))
        case .commandComplete where owed > 0, .emptyQueryResponse where owed > 0:
            return .drop(byteCount: header.byteCount)
        case .readyForQuery where owed > 0:
            owed -= 1
            guard owed == 0 else { return .drop(byteCount: header.byteCount) }
            let isIdle = try ReadyForQuery(in: input, body: body).status == .idle
            return isIdle ? .finished(byteCount: header.byteCount) : .broken(.notIdle)
        default: return .broken(.unasked(tag))
        }
    }
}

extension LinkUpkeep.Fault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .refused(let error): "the server said: \(error.message)"
        case .unasked(let tag): "the server sent a message of type \(tag) that nothing asked for"
        case .notIdle: "the server has a transaction open after a rollback"
        case .malformed(let error): "the server sent a message that is not the PostgreSQL protocol: \(error)"
        }
    }
}
