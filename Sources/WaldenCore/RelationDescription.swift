/// What an UPDATE or DELETE says of the old row (`pg_class.relreplident`).
public enum ReplicaIdentity: UInt8, Sendable {
    case `default` = 0x64  // d
    case nothing = 0x6E  // n
    case full = 0x66  // f
    case index = 0x69  // i
}

/// A published relation as the stream describes it before its first change (protocol chapter, logical replication
/// message formats, Relation). Immutable; a changed table arrives as a new object, so identity tells a change of shape.
public final class RelationDescription: Sendable {
    public struct Column: Hashable, Sendable {
        public let name: String
        public let type: TypeID
        public let typeModifier: Int32
        /// Whether it is part of the replica identity, so that key-only old rows carry it.
        public let isKey: Bool

        public init(name: String, type: TypeID, typeModifier: Int32, isKey: Bool) {
            self.name = name
            self.type = type
            self.typeModifier = typeModifier
            self.isKey = isKey
        }
    }

    public let id: RelationID
    public let namespace: String
    public let name: String
    public let replicaIdentity: ReplicaIdentity
    /// In the order of the row images' fields.
    public let columns: [Column]

    public init(
        id: RelationID, namespace: String, name: String, replicaIdentity: ReplicaIdentity, columns: [Column]
    ) {
        self.id = id
        self.namespace = namespace
        self.name = name
        self.replicaIdentity = replicaIdentity
        self.columns = columns
    }
}
