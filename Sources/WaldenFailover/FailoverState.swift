/// Where the sentinel is. The raw value is the name in journals, logs and metrics; what each leads to stands in
/// `TransitionTable`.
public enum FailoverState: String, Hashable, Sendable, CaseIterable, Codable {
    /// Which node is the primary is not known yet.
    case discover
    /// All is well, or nothing may be done about it.
    case steady
    /// The primary does not answer; why is not known yet.
    case suspect
    /// The proxies park new work for the primary.
    case hold
    /// Standbys are cut from the old primary.
    case sever
    /// Who holds what was acknowledged?
    case census
    /// Proxies take the new term; the operator's own fence is asked.
    case fence
    /// The point of no return.
    case promote
    /// The others follow; a slot is made, a quorum found.
    case opening
    /// Held work goes to the new primary.
    case open
    /// Given up before the point of no return: what was severed follows its old primary again.
    case aborting
    /// Nothing more is done without an order.
    case needsHuman = "needs_human"
    /// Ordered to stay out of it.
    case maintenance

    /// Whether a record is written before the state's side effects. Without side effects there is nothing to resume.
    public var isJournalled: Bool {
        switch self {
        case .discover, .suspect: false
        case .steady, .hold, .sever, .census, .fence, .promote, .opening, .open, .aborting, .needsHuman, .maintenance:
            true
        }
    }

    /// What a sentinel does that finds this in its journal: up to here nothing has happened that cannot be undone.
    public var isRevocable: Bool {
        switch self {
        case .hold, .sever, .census, .fence, .aborting: true
        case .discover, .steady, .suspect, .promote, .opening, .open, .needsHuman, .maintenance: false
        }
    }
}
