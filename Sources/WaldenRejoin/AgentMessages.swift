// What goes between an agent and who asks it, as JSON.

/// Make the node follow a new primary.
public struct RejoinRequest: Hashable, Sendable, Codable {
    /// Of the incident. Lower ones than the agent has heard of are refused.
    public var term: UInt64
    /// For `primary_conninfo`: `keyword=value` pairs without `application_name`. May hold a password.
    public var upstream: String
    /// How `pg_rewind`, `pg_basebackup` and the agent itself reach the primary: `keyword=value` pairs. May hold a password.
    public var source: String
    /// The node's name at the primary, by which `synchronous_standby_names` knows it.
    public var applicationName: String
    /// A physical slot at the primary, made when it is missing. Nil: none.
    public var slot: String?
    /// How long the standby may take from its start until it streams.
    public var streamTimeoutSeconds: Int?

    public init(
        term: UInt64, upstream: String, source: String, applicationName: String, slot: String? = nil,
        streamTimeoutSeconds: Int? = nil
    ) {
        self.term = term
        self.upstream = upstream
        self.source = source
        self.applicationName = applicationName
        self.slot = slot
        self.streamTimeoutSeconds = streamTimeoutSeconds
    }

    /// Why it cannot be carried out as it stands; nil when it can. Nothing of the connection strings is repeated.
    public var problem: String? {
        for (name, text) in [("upstream", upstream), ("source", source)] {
            if text.hasPrefix("postgres:") || text.hasPrefix("postgresql:") {
                return "\(name) must be keyword=value pairs, not a URI"
            }
            if text.allSatisfy(\.isWhitespace) { return "\(name) is empty" }
        }
        for (name, text) in [
            ("upstream", upstream), ("source", source), ("application_name", applicationName), ("slot", slot ?? "x"),
        ] {
            if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "\(name) has a control character" }
            if text.utf8.count > Self.textMaximum { return "\(name) is longer than \(Self.textMaximum) bytes" }
        }
        if applicationName.isEmpty { return "application_name is empty" }
        let slotBytes = Array((slot ?? "x").utf8)
        let isSlotName =
            !slotBytes.isEmpty && slotBytes.count < 64
            && slotBytes.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
        if !isSlotName { return "slot must be 1 … 63 lower-case letters, digits and underscores" }
        if let seconds = streamTimeoutSeconds, !(1...86_400).contains(seconds) {
            return "stream_timeout_seconds is not within 1 … 86400"
        }
        return nil
    }

    private static let textMaximum = 8_192

    enum CodingKeys: String, CodingKey {
        case term, upstream, source, slot
        case applicationName = "application_name"
        case streamTimeoutSeconds = "stream_timeout_seconds"
    }
}

/// One piece of work of an agent.
public struct JobReport: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable {
        case rejoin, start, stop
    }

    public enum State: String, Hashable, Sendable, Codable {
        case running, done, failed
    }

    public var id: UInt64
    public var kind: Kind
    public var state: State
    /// The term of a rejoin.
    public var term: UInt64?
    /// Where a rejoin is.
    public var stage: RejoinStage?
    /// What was done so far, oldest first, at most `linesMaximum`.
    public var lines: [String]
    /// Why it failed.
    public var problem: String?

    public static let linesMaximum = 100

    public init(id: UInt64, kind: Kind, term: UInt64? = nil, stage: RejoinStage? = nil) {
        self.id = id
        self.kind = kind
        self.state = .running
        self.term = term
        self.stage = stage
        self.lines = []
    }
}

/// What an agent knows of its node.
public struct AgentStatus: Hashable, Sendable, Codable {
    public var dataDirectory: String
    public var isRunning: Bool
    public var isFenced: Bool
    /// The highest that it has heard of; 0 before the first.
    public var term: UInt64
    /// From the control file; nil with `problem` when it cannot be read.
    public var systemIdentifier: String?
    public var timeline: UInt64?
    public var clusterState: String?
    public var problem: String?
    /// The newest one.
    public var job: JobReport?

    public init(dataDirectory: String, isRunning: Bool, isFenced: Bool, term: UInt64) {
        self.dataDirectory = dataDirectory
        self.isRunning = isRunning
        self.isFenced = isFenced
        self.term = term
    }

    enum CodingKeys: String, CodingKey {
        case term, timeline, problem, job
        case dataDirectory = "data_directory"
        case isRunning = "running"
        case isFenced = "fenced"
        case systemIdentifier = "system_identifier"
        case clusterState = "cluster_state"
    }
}

/// What an agent answers to what it does not do.
public struct AgentRefusal: Hashable, Sendable, Codable {
    public let error: String

    public init(error: String) {
        self.error = error
    }
}
