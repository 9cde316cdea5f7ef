import WaldenCore
import WaldenPostgres

/// A thread that asks something again and again, as often as the pace says. What asks is closed by `stop`, which waits for
/// nothing: a thread that waits for a silent server ends its wait by itself.
final class Lookout: Sendable {
    /// For the body's connections: raised by `stop`.
    let interrupt: Interrupt
    private let wake: Wake

    init() throws(PostgresError) {
        interrupt = try Interrupt()
        wake = try Wake()
    }

    var isStopped: Bool { interrupt.isRaised }

    /// The pace has changed.
    func hurry() {
        wake.raise()
    }

    func stop() {
        interrupt.raise()
    }

    /// Waits until the interval since `asked` has passed, however the pace changes; earlier when `connection` has
    /// something to say, which is its end, and throws then.
    func pause(since asked: Instant, _ pace: Pace, _ connection: Connection? = nil) throws(PostgresError) {
        while !isStopped {
            wake.lower()
            let due = asked + pace.interval
            guard MonotonicClock.now() < due else { return }
            var interests: [Polling.Interest] = [.reading(wake.readEnd), .reading(interrupt.wake.readEnd)]
            if let connection { interests.append(.reading(connection.socket)) }
            if Polling.wait(interests, until: due) & 4 != 0 { try connection?.listen() }
        }
    }
}
