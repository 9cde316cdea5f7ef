import Synchronization
import WaldenFailover

/// How often something is asked, by what is at stake.
final class Pace: Sendable {
    enum Haste: UInt8 {
        case calm
        /// Something is amiss.
        case urgent
        /// Clients wait, and each answer brings the next step.
        case acting
        /// The same; what is written at the new primary must reach its disk for the stream to begin.
        case opening

        init(_ machine: FailoverMachine) {
            switch machine.state {
            case .hold, .sever, .census, .fence, .promote: self = .acting
            case .opening: self = .opening
            default: self = machine.isUrgent ? .urgent : .calm
            }
        }
    }

    private let haste: Atomic<UInt8>
    private let intervals: @Sendable (Haste) -> Duration

    init(_ haste: Haste, _ intervals: @escaping @Sendable (Haste) -> Duration) {
        self.haste = Atomic(haste.rawValue)
        self.intervals = intervals
    }

    var interval: Duration { intervals(Haste(rawValue: haste.load(ordering: .acquiring)) ?? .calm) }

    /// Whether it has changed.
    func set(_ haste: Haste) -> Bool {
        self.haste.exchange(haste.rawValue, ordering: .acquiringAndReleasing) != haste.rawValue
    }
}

extension SentinelConfiguration {
    /// Of looks at nodes.
    func lookInterval(_ haste: Pace.Haste) -> Duration {
        switch haste {
        case .calm: timings.heartbeat
        case .urgent: min(timings.heartbeat, urgentInterval)
        case .acting, .opening: min(timings.heartbeat, urgentInterval, actingInterval)
        }
    }

    /// Of new connections to the primary, which may be short of them.
    func contactInterval(_ haste: Pace.Haste) -> Duration {
        haste == .calm ? timings.heartbeat : min(timings.heartbeat, urgentInterval)
    }

    /// Of heartbeats. A slot is made when the log has reached the disk up to a record that nobody commits, so until then
    /// local ones come often: each takes the log there.
    func beatInterval(_ kind: HeartbeatKind, _ haste: Pace.Haste) -> Duration {
        haste == .opening && kind == .local ? min(timings.heartbeat, actingInterval) : timings.heartbeat
    }
}
