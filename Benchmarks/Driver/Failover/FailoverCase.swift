/// A way in which a primary fails or goes, and what is wanted of the outage that clients see.
enum FailoverCase: String, CaseIterable {
    /// Every process of the primary's PostgreSQL is killed (SIGKILL) at once; its host, and what else runs there, stays.
    case kill9
    /// All that runs on the primary's host is killed.
    case node
    /// All that runs on the primary's host is stopped (SIGSTOP): it holds its connections and answers nothing.
    case sigstop
    /// The cable of the primary's host is cut: nothing that is sent to it is answered or refused.
    case partition
    /// The postmaster alone is killed; its children find out by themselves.
    case postmaster
    /// The role of primary is moved by order.
    case switchover

    /// Of a figure: its name and its limit. Seconds, or a number of errors.
    var goals: [(metric: String, goal: Goal)] {
        switch self {
        case .kill9: [("outage_p50", .atMost(0.6)), ("outage_p99", .atMost(1.2))]
        case .node: [("outage_p50", .atMost(1))]
        case .sigstop, .partition: [("outage_p50", .atMost(2.5))]
        case .postmaster: []
        case .switchover: [("outage_p50", .atMost(0.3)), ("errors", .atMost(0))]
        }
    }
}

/// What is wanted whenever writes were acknowledged.
let ledgerGoals: [(metric: String, goal: Goal)] = [("lost", .atMost(0)), ("twice", .atMost(0))]

/// What one run has shown.
struct FailoverOutcome {
    /// Seconds: the longest time between two acknowledgements of the measured writer, of those that end after the fault.
    var outage: Double
    /// By kind: a SQLSTATE, `connection` (broken), `patience` (given up by the client), `connecting` (no session to be had).
    var errors: [String: Int]
    /// Acknowledged and in no table.
    var lost: Int
    /// There more than once.
    var twice: Int
    var writes: Int
}
