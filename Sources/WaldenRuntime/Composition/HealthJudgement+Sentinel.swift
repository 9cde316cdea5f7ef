import WaldenCore
import WaldenFailover
import WaldenSentinel

extension HealthJudgement {
    /// While the sentinel replaces the primary, nobody writes.
    mutating func take(_ view: SentinelView, names: [NodeID: String]) {
        primary = view.primary.description
        aliases = Dictionary(names.map { ($0.value, $0.key.description) }) { first, _ in first }
        switch view.state {
        case .hold, .sever, .census, .fence, .promote, .opening, .open:
            hold = "the primary is being replaced (state \(view.state.rawValue))"
        case .discover, .steady, .suspect, .aborting, .needsHuman, .maintenance: hold = nil
        }
    }
}
