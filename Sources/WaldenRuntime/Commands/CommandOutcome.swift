/// How a command ends, for scripts (the codes above 1 are those of sysexits.h).
public enum ExitStatus: Int32, Hashable, Sendable {
    case success = 0
    /// What was looked at must be put right, or what was asked for could not be done.
    case failure = 1
    /// The command line makes no sense.
    case usage = 64
    /// A server, or the instance, cannot be reached.
    case unavailable = 69
    case configuration = 78
}

/// What a command has to say.
public struct CommandOutcome: Hashable, Sendable {
    /// For standard output; empty or ending in a line feed.
    public var output: String
    /// For standard error, without a final line feed; nil when nothing went wrong.
    public var problem: String?
    public var status: ExitStatus

    public init(_ output: String = "", problem: String? = nil, status: ExitStatus = .success) {
        self.output = output
        self.problem = problem
        self.status = status
    }

    static func failed(_ problem: String, _ status: ExitStatus) -> CommandOutcome {
        CommandOutcome(problem: problem, status: status)
    }
}
