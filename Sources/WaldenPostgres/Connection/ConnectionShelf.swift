internal import Synchronization
internal import WaldenCore

/// Connections to one server that stay open between questions, each used by one thread at a time. As many are kept as
/// questions have ever been asked at once.
final class ConnectionShelf: Sendable {
    private struct State {
        var dsn: DSN
        var idle: [Box] = []
    }

    /// Whoever has taken it off the list may use it.
    private final class Box: @unchecked Sendable {
        let connection: Connection
        let dsn: DSN

        init(_ connection: Connection, to dsn: DSN) {
            self.connection = connection
            self.dsn = dsn
        }
    }

    private let options: Connection.Options
    private let stopSignal: Interrupt
    private let state: Mutex<State>

    init(_ dsn: DSN, _ options: Connection.Options) throws(PostgresError) {
        state = Mutex(State(dsn: dsn))
        self.options = options
        stopSignal = try Interrupt()
    }

    /// Asks over a connection that lies idle, or a new one; asks once more over a new one when the first was lost, for it
    /// may have ended while it lay idle. So the question must be one that changes nothing. Blocks.
    func ask<Answer>(
        _ question: (Connection) throws(PostgresError) -> Answer
    ) throws(PostgresError) -> Answer {
        let (kept, dsn) = state.withLock { ($0.idle.popLast(), $0.dsn) }
        if let kept, kept.connection.isOpen {
            do throws(PostgresError) {
                return try ask(question, over: kept)
            } catch {
                guard error.kind == .connectionLost else { throw error }
            }
        }
        return try ask(question, over: Box(try Connection.open(dsn, options, interrupt: stopSignal), to: dsn))
    }

    private func ask<Answer>(
        _ question: (Connection) throws(PostgresError) -> Answer, over box: Box
    ) throws(PostgresError) -> Answer {
        defer {
            if box.connection.isOpen {
                state.withLock { state in
                    if state.dsn == box.dsn { state.idle.append(box) }
                }
            }
        }
        return try question(box.connection)
    }

    /// Another server is asked from now on.
    func moved(to dsn: DSN) {
        state.withLock { state in
            guard state.dsn != dsn else { return }
            state = State(dsn: dsn)
        }
    }

    /// Ends questions that wait, and refuses those that come. Returns at once.
    func stop() {
        stopSignal.raise()
    }
}
