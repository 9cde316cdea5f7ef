/// What a command has to say, and how it ends.
public struct CommandOutcome: Hashable, Sendable {
    /// For scripts; the codes above 1 are those of sysexits.h.
    public enum Status: Int32, Hashable, Sendable {
        case success = 0
        /// What was looked at must be put right, or what was asked for could not be done.
        case failure = 1
        /// The command line makes no sense.
        case usage = 64
        /// A server, or the instance, cannot be reached.
        case unavailable = 69
        /// The role may not log in, or not do what was asked for.
        case noPermission = 77
        /// The configuration cannot be read.
        case configuration = 78
    }

    /// For standard output; empty or ending in a line feed.
    public let output: String
    /// For standard error, without a final line feed; nil when there is nothing to remark.
    public let problem: String?
    public let status: Status

    init(_ output: String, problem: String? = nil, status: Status = .success) {
        self.output = output
        self.problem = problem
        self.status = status
    }

    static func failed(_ problem: String, _ status: Status) -> CommandOutcome {
        CommandOutcome("", problem: problem, status: status)
    }
}
