import Synchronization
import WaldenCore
import WaldenFailover

/// What the sentinel's thread lets others see. The machine is a value, so a copy of it answers whatever is asked, from any
/// thread and without keeping the sentinel waiting.
final class SentinelBoard: Sendable {
    struct Published: Sendable {
        var machine: FailoverMachine
        var history: IncidentHistory
        var unwrittenLines: UInt64 = 0
        var lookedAt: Instant
    }

    private let state: Mutex<Published>

    init(_ machine: FailoverMachine, _ history: IncidentHistory, at now: Instant) {
        state = Mutex(Published(machine: machine, history: history, lookedAt: now))
    }

    var published: Published { state.withLock { $0 } }

    func publish(_ machine: FailoverMachine, at now: Instant) {
        state.withLock { state in
            state.machine = machine
            state.lookedAt = now
        }
    }

    func publish(_ history: IncidentHistory, unwrittenLines: UInt64) {
        state.withLock { state in
            state.history = history
            state.unwrittenLines = unwrittenLines
        }
    }
}
