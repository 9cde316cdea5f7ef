public import WaldenCore

/// A row of `pg_namespace`.
public struct NamespaceEntry: Hashable, Sendable {
    public let name: String
    /// Whether PUBLIC has USAGE, so that no session skips it in its search path.
    public let isUsableByPublic: Bool
    /// The role that owns it, if that role has USAGE; else nil.
    public let usableByOwner: String?

    public init(name: String, isUsableByPublic: Bool, usableByOwner: String?) {
        self.name = name
        self.isUsableByPublic = isUsableByPublic
        self.usableByOwner = usableByOwner
    }
}

/// A row of `pg_class` with what the publication and the inheritance catalogs say of it.
public struct RelationEntry: Hashable, Sendable {
    /// `pg_class.relkind`.
    public enum Kind: UInt8, Sendable {
        case table = 0x72  // r
        case partitioned = 0x70  // p
        case view = 0x76  // v
        case materializedView = 0x6D  // m
        case foreign = 0x66  // f
        case sequence = 0x53  // S
        case toast = 0x74  // t
        case composite = 0x63  // c
        case index = 0x69  // i
        case partitionedIndex = 0x49  // I
    }

    /// `pg_class.relpersistence`.
    public enum Persistence: UInt8, Sendable {
        case permanent = 0x70  // p
        case unlogged = 0x75  // u
        case temporary = 0x74  // t
    }

    public struct Publication: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// Its inserts, updates, deletes and truncates are all in the publication that Walden reads.
        public static let published = Publication(rawValue: 1)
        public static let hasRowFilter = Publication(rawValue: 2)
        public static let hasColumnList = Publication(rawValue: 4)
    }

    public let id: RelationID
    public let schema: String
    public let name: String
    public let kind: Kind
    public let persistence: Persistence
    public let replicaIdentity: ReplicaIdentity
    public let publication: Publication
    /// `relrowsecurity`.
    public let hasRowSecurity: Bool
    /// Triggers or rules that users made. Of a view: also that its definition calls a VOLATILE function.
    public let hasTriggersOrRules: Bool
    /// Without dropped ones, by attribute number.
    public let columns: [ColumnEntry]
    /// From `pg_inherits`, one step.
    public let parents: [RelationID]
    public let children: [RelationID]

    public init(
        id: RelationID, schema: String, name: String, kind: Kind, persistence: Persistence,
        replicaIdentity: ReplicaIdentity, publication: Publication, hasRowSecurity: Bool, hasTriggersOrRules: Bool,
        columns: [ColumnEntry], parents: [RelationID], children: [RelationID]
    ) {
        self.id = id
        self.schema = schema
        self.name = name
        self.kind = kind
        self.persistence = persistence
        self.replicaIdentity = replicaIdentity
        self.publication = publication
        self.hasRowSecurity = hasRowSecurity
        self.hasTriggersOrRules = hasTriggersOrRules
        self.columns = columns
        self.parents = parents
        self.children = children
    }

    /// Of the system catalogs.
    var isSystem: Bool {
        schema == "pg_catalog" || schema == "information_schema" || schema.hasPrefix("pg_toast")
    }

    func column(named name: String) -> ColumnEntry? {
        columns.first { $0.name == name }
    }
}

/// A row of `pg_attribute` with a positive number.
public struct ColumnEntry: Hashable, Sendable {
    public let name: String
    public let number: Int16
    public let type: TypeID
    public let typeModifier: Int32
    /// False for a column whose collation is nondeterministic; true also for types without collation.
    public let hasDeterministicCollation: Bool
    public let isGenerated: Bool
    /// Whether it is part of the replica identity, unless that is all columns.
    public let isKey: Bool

    public init(
        name: String, number: Int16, type: TypeID, typeModifier: Int32, hasDeterministicCollation: Bool,
        isGenerated: Bool, isKey: Bool = false
    ) {
        self.name = name
        self.number = number
        self.type = type
        self.typeModifier = typeModifier
        self.hasDeterministicCollation = hasDeterministicCollation
        self.isGenerated = isGenerated
        self.isKey = isKey
    }
}

/// A row of `pg_type`.
public struct TypeEntry: Hashable, Sendable {
    /// `pg_type.typtype`.
    public enum Kind: UInt8, Sendable {
        case base = 0x62  // b
        case domain = 0x64  // d
        case enumeration = 0x65  // e
        case composite = 0x63  // c
        case range = 0x72  // r
        case multirange = 0x6D  // m
        case pseudo = 0x70  // p
    }

    public let id: TypeID
    public let schema: String
    public let name: String
    public let kind: Kind
    /// `typcategory`, an ASCII letter.
    public let category: UInt8
    /// What a domain is over, else `TypeID.unspecified`.
    public let base: TypeID
    /// `typelem`, else `TypeID.unspecified`.
    public let element: TypeID
    /// `typinput` and `typoutput`.
    public let input: UInt32
    public let output: UInt32

    public init(
        id: TypeID, schema: String, name: String, kind: Kind, category: UInt8, base: TypeID, element: TypeID,
        input: UInt32, output: UInt32
    ) {
        self.id = id
        self.schema = schema
        self.name = name
        self.kind = kind
        self.category = category
        self.base = base
        self.element = element
        self.input = input
        self.output = output
    }

    var isBuiltIn: Bool { schema == "pg_catalog" }
}

/// A row of `pg_proc`.
public struct FunctionEntry: Hashable, Sendable {
    public enum Volatility: UInt8, Sendable {
        case immutable = 0x69  // i
        case stable = 0x73  // s
        case volatile = 0x76  // v
    }

    /// `pg_proc.prokind`.
    public enum Kind: UInt8, Sendable {
        case function = 0x66  // f
        case procedure = 0x70  // p
        case aggregate = 0x61  // a
        case window = 0x77  // w
    }

    public let oid: UInt32
    public let schema: String
    public let name: String
    /// `proargtypes`.
    public let arguments: [TypeID]
    /// How many of the last arguments have defaults.
    public let defaultCount: Int16
    /// The last argument takes any number of values (`provariadic` is not zero).
    public let isVariadic: Bool
    public let result: TypeID
    public let volatility: Volatility
    public let kind: Kind
    /// Whether its body may assign a setting that outlives the call (`set_config`, `SET`, dynamic SQL …).
    public let mayChangeSettings: Bool
    /// Whether its body names what differs from server to server or from session to session (`pg_is_in_recovery`,
    /// statistics, settings of the server …).
    public let tellsOfServer: Bool

    public init(
        oid: UInt32, schema: String, name: String, arguments: [TypeID], defaultCount: Int16, isVariadic: Bool,
        result: TypeID, volatility: Volatility, kind: Kind, mayChangeSettings: Bool,
        tellsOfServer: Bool = false
    ) {
        self.oid = oid
        self.schema = schema
        self.name = name
        self.arguments = arguments
        self.defaultCount = defaultCount
        self.isVariadic = isVariadic
        self.result = result
        self.volatility = volatility
        self.kind = kind
        self.mayChangeSettings = mayChangeSettings
        self.tellsOfServer = tellsOfServer
    }

    var isBuiltIn: Bool { schema == "pg_catalog" }
}

/// A row of `pg_operator`.
public struct OperatorEntry: Hashable, Sendable {
    public let schema: String
    public let name: String
    /// `TypeID.unspecified` for a prefix operator.
    public let left: TypeID
    public let right: TypeID
    /// `oprcode`.
    public let function: UInt32

    public init(schema: String, name: String, left: TypeID, right: TypeID, function: UInt32) {
        self.schema = schema
        self.name = name
        self.left = left
        self.right = right
        self.function = function
    }

    var isBuiltIn: Bool { schema == "pg_catalog" }
}

/// A row of `pg_cast` that a user made.
public struct CastEntry: Hashable, Sendable {
    public let source: TypeID
    public let target: TypeID
    /// `castfunc`; 0 when there is none.
    public let function: UInt32
    /// `castcontext` is i.
    public let isImplicit: Bool

    public init(source: TypeID, target: TypeID, function: UInt32, isImplicit: Bool) {
        self.source = source
        self.target = target
        self.function = function
        self.isImplicit = isImplicit
    }
}
