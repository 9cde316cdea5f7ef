/// What HAProxy's agent check is told (HAProxy's configuration manual, section 5.2, `agent-check`): words between blanks on
/// one line that CR or LF ends, after a sharp why.
///
/// Only the agent takes back what it said, so `up` says `ready` as well, which ends `drain` and `maint`.
public enum AgentState: Hashable, Sendable {
    case up
    case down(String)
    /// No new connections; those that are there go on.
    case drain
    /// No new connections, for people are at work.
    case maintenance

    /// HAProxy shows no more of a reason.
    private static let reasonLimit = 200

    var line: String {
        switch self {
        case .up: "up ready 100%\n"
        case .down(let reason): "down #\(Self.plain(reason))\n"
        case .drain: "drain\n"
        case .maintenance: "maint\n"
        }
    }

    /// Printable ASCII: the line must not end early.
    private static func plain(_ reason: String) -> String {
        String(reason.unicodeScalars.prefix(reasonLimit).map { (0x20...0x7E).contains($0.value) ? Character($0) : "?" })
    }
}
