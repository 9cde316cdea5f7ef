/// What a cluster's control file says of it, as `pg_controldata` prints it in the C locale.
public struct ControlData: Hashable, Sendable {
    public let systemIdentifier: String
    public let timeline: UInt64
    public let state: ClusterState
    /// Whether blocks changed by hint bits alone are in the log, which is how `pg_rewind` finds all that changed.
    public let logsAllChanges: Bool

    /// Nil when the text is no output of `pg_controldata`.
    public init?(printed text: String) {
        var values: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            values[line[..<colon]] = line[line.index(after: colon)...].drop { $0 == " " }
        }
        guard let identifier = values["Database system identifier"], UInt64(identifier) != nil,
            let timeline = values["Latest checkpoint's TimeLineID"].flatMap({ UInt64($0) }),
            let state = values["Database cluster state"]
        else { return nil }
        systemIdentifier = String(identifier)
        self.timeline = timeline
        self.state = ClusterState(String(state))
        let hasChecksums = values["Data page checksum version"].map { $0 != "0" } ?? false
        logsAllChanges = hasChecksums || values["wal_log_hints setting"] == "on"
    }

    public init(systemIdentifier: String, timeline: UInt64, state: ClusterState, logsAllChanges: Bool) {
        self.systemIdentifier = systemIdentifier
        self.timeline = timeline
        self.state = state
        self.logsAllChanges = logsAllChanges
    }
}

/// The state in a control file: of a running cluster, or of one that was killed, it is the state it was last in.
public struct ClusterState: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }

    /// A standby, or one that was a standby when it ended.
    public var isStandby: Bool { description == "in archive recovery" || description == "shut down in recovery" }
}
