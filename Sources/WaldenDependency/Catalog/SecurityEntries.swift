public import WaldenCore

/// A view's definition, printed under an empty search path: every name outside `pg_catalog` is qualified.
public struct ViewEntry: Hashable, Sendable {
    public let relation: RelationID
    /// As `pg_get_viewdef` prints it.
    public let definition: String
    /// A role's OID.
    public let owner: UInt32
    /// `security_invoker`: what it reads is read with the rights of the session's role, not its owner's.
    public let isInvoker: Bool

    public init(relation: RelationID, definition: String, owner: UInt32, isInvoker: Bool) {
        self.relation = relation
        self.definition = definition
        self.owner = owner
        self.isInvoker = isInvoker
    }
}

/// A table with row security: whom it binds.
public struct RowSecurityEntry: Hashable, Sendable {
    public let relation: RelationID
    /// A role's OID.
    public let owner: UInt32
    /// `relforcerowsecurity`: it binds the owner, too.
    public let isForced: Bool

    public init(relation: RelationID, owner: UInt32, isForced: Bool) {
        self.relation = relation
        self.owner = owner
        self.isForced = isForced
    }
}

/// A row of `pg_policy` that applies to SELECT.
public struct PolicyEntry: Hashable, Sendable {
    public let relation: RelationID
    public let isPermissive: Bool
    /// OIDs; nil: PUBLIC.
    public let roles: Set<UInt32>?
    /// The USING expression, printed as views are; nil when there is none.
    public let condition: String?

    public init(relation: RelationID, isPermissive: Bool, roles: Set<UInt32>?, condition: String?) {
        self.relation = relation
        self.isPermissive = isPermissive
        self.roles = roles
        self.condition = condition
    }
}

/// A row of `pg_roles`.
public struct RoleEntry: Hashable, Sendable {
    public let oid: UInt32
    public let name: String
    /// A superuser, or BYPASSRLS.
    public let bypassesRowSecurity: Bool
    /// Those of the owners and policy roles whose privileges it has, itself among them.
    public let privileges: Set<UInt32>

    public init(oid: UInt32, name: String, bypassesRowSecurity: Bool, privileges: Set<UInt32>) {
        self.oid = oid
        self.name = name
        self.bypassesRowSecurity = bypassesRowSecurity
        self.privileges = privileges
    }
}

/// What of the catalog decides which rows a role sees through views and row security.
public struct SecurityEntries: Sendable {
    let views: [RelationID: ViewEntry]
    let rowSecurity: [RelationID: RowSecurityEntry]
    let policies: [RelationID: [PolicyEntry]]
    private let roles: [UInt32: RoleEntry]
    private let rolesByName: [String: RoleEntry]
    /// Some `ALTER ROLE` or `ALTER DATABASE … SET role` is in force: a session's role is not what it logged in as.
    let rolesAreAssigned: Bool

    public init(
        views: [ViewEntry] = [], rowSecurity: [RowSecurityEntry] = [], policies: [PolicyEntry] = [],
        roles: [RoleEntry] = [], rolesAreAssigned: Bool = false
    ) {
        self.views = Dictionary(views.map { ($0.relation, $0) }, uniquingKeysWith: { first, _ in first })
        self.rowSecurity = Dictionary(rowSecurity.map { ($0.relation, $0) }, uniquingKeysWith: { first, _ in first })
        self.policies = Dictionary(grouping: policies) { $0.relation }
        self.roles = Dictionary(roles.map { ($0.oid, $0) }, uniquingKeysWith: { first, _ in first })
        rolesByName = Dictionary(roles.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.rolesAreAssigned = rolesAreAssigned
    }

    func role(_ oid: UInt32) -> RoleEntry? { roles[oid] }
    func role(named name: String) -> RoleEntry? { rolesByName[name] }
}
