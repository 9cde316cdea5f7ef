public import WaldenCore
public import WaldenFailover

/// What a hook is told, as JSON. Names are stable; new ones may be added.
public struct HookEvent: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable {
        /// A row of the table was taken.
        case stateChanged = "state_changed"
        /// Work for the primary is held from here.
        case incidentBegun = "incident_begun"
        case incidentEnded = "incident_ended"
        /// The old primary is to be fenced; the answer decides.
        case fence
    }

    public var event: Kind
    public var term: UInt64
    /// The primary's name as configured: the new one's from the promotion on.
    public var primary: String
    /// Whom a fence is for.
    public var node: String?
    public var row: Int?
    public var from: String?
    public var to: String?
    public var finding: String?
    public var reason: String?
    public var details: [String]?
    /// Microseconds since 1970.
    public var at: Int64

    public init(event: Kind, term: UInt64, primary: String, node: String? = nil, at: Int64) {
        self.event = event
        self.term = term
        self.primary = primary
        self.node = node
        self.at = at
    }

    /// A fence of the old primary.
    public static func fence(_ order: Order, node: NodeID, at: Int64, name: (NodeID) -> String) -> HookEvent {
        HookEvent(event: .fence, term: order.term.number, primary: name(order.primary), node: name(node), at: at)
    }

    /// What a note of the sentinel's gives: always `state_changed`, and the begin or the end of an incident after it.
    public static func events(of note: FailoverNote, at: Int64, name: (NodeID) -> String) -> [HookEvent] {
        var event = HookEvent(event: .stateChanged, term: note.term.number, primary: name(note.primary), at: at)
        event.row = note.row
        event.from = note.from.rawValue
        event.to = note.to.rawValue
        event.finding = note.finding.rawValue
        event.reason = cut(note.reason)
        event.details = note.details.prefix(detailsMaximum).map(cut)
        var events = [event]
        if let edge = edge(note) {
            event.event = edge
            events.append(event)
        }
        return events
    }

    private static func edge(_ note: FailoverNote) -> Kind? {
        if note.to == .hold, note.from != .hold { return .incidentBegun }
        if note.from == .aborting && note.to != .aborting || (note.from == .open && note.to == .steady) {
            return .incidentEnded
        }
        return nil
    }

    private static let detailsMaximum = 50
    private static let textMaximum = 500

    private static func cut(_ text: String) -> String { String(text.prefix(textMaximum)) }

    /// For the environment of a command.
    var environment: [String: String] {
        var variables = [
            "WALDEN_EVENT": event.rawValue, "WALDEN_TERM": String(term), "WALDEN_PRIMARY_NODE": primary,
        ]
        variables["WALDEN_NODE"] = node
        variables["WALDEN_FROM"] = from
        variables["WALDEN_TO"] = to
        return variables
    }
}
