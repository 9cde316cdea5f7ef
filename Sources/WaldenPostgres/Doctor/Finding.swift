/// One thing that the doctor looked at, with its verdict.
public struct Finding: Hashable, Sendable {
    public enum Severity: String, Hashable, Sendable, Comparable {
        case ok, warning
        /// Walden cannot cache, or the application suffers, until it is cured.
        case mustFix = "must_fix"

        private var rank: Int {
            switch self {
            case .ok: 0
            case .warning: 1
            case .mustFix: 2
            }
        }

        public static func < (lhs: Severity, rhs: Severity) -> Bool { lhs.rank < rhs.rank }
    }

    /// Stable names, for scripts and metrics.
    public enum ID: String, Hashable, Sendable, CaseIterable {
        case connection, version, product, recovery
        case walLevel = "wal_level", replicationSlots = "replication_slots", walSenders = "wal_senders"
        case replicationRole = "replication_role", replicationConnection = "replication_connection"
        case functions, publication, publicationActions = "publication_actions"
        case coverage, rowFilters = "row_filters", columnLists = "column_lists"
        case replicaIdentity = "replica_identity", identityPrecision = "identity_precision"
        case eventTriggers = "event_triggers", schemaVersion = "schema_version"
        case slotKeepSize = "slot_keep_size", orphanSlots = "orphan_slots"
        case synchronousStandbys = "synchronous_standbys", clock
        case replica
    }

    public let id: ID
    public let severity: Severity
    /// What is so, in one sentence.
    public let what: String
    /// What it was seen by: the setting, the names, the message.
    public let evidence: String
    /// A command or a line of configuration; nil when there is nothing to cure.
    public let cure: String?

    public init(_ id: ID, _ severity: Severity, _ what: String, evidence: String, cure: String? = nil) {
        self.id = id
        self.severity = severity
        self.what = what
        self.evidence = evidence
        self.cure = cure
    }

    /// Whether nothing at all can be cached because of it.
    public var blocksCaching: Bool {
        guard severity == .mustFix else { return false }
        switch id {
        case .coverage, .rowFilters, .columnLists, .replicaIdentity, .identityPrecision, .slotKeepSize, .orphanSlots,
            .synchronousStandbys, .clock, .replica:
            return false
        case .connection, .version, .product, .recovery, .walLevel, .replicationSlots, .walSenders, .replicationRole,
            .replicationConnection, .functions, .publication, .publicationActions, .eventTriggers, .schemaVersion:
            return true
        }
    }
}
