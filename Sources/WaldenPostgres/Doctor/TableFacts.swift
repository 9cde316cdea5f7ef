public import WaldenCore

/// A table's name, printed as SQL reads it.
public struct TableName: Hashable, Sendable, CustomStringConvertible {
    public let schema: String
    public let name: String

    public init(schema: String, name: String) {
        self.schema = schema
        self.name = name
    }

    public var description: String {
        "\(Self.quoted(schema)).\(Self.quoted(name))"
    }

    private static func quoted(_ name: String) -> String {
        let isPlain =
            name.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "_")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            } && name.utf8.first.map { $0 > UInt8(ascii: "9") } == true
        return isPlain ? name : ReplicationCommands.identifier(name)
    }
}

/// What decides whether results that read a table can be cached.
public struct TableFacts: Hashable, Sendable {
    public let name: TableName
    public let replicaIdentity: ReplicaIdentity
    /// An index that the replica identity can use: the primary key, or the one named, valid and not deferrable.
    public let hasIdentityIndex: Bool
    public let isPublished: Bool
    public let hasRowFilter: Bool
    public let hasColumnList: Bool

    public init(
        name: TableName, replicaIdentity: ReplicaIdentity, hasIdentityIndex: Bool, isPublished: Bool,
        hasRowFilter: Bool, hasColumnList: Bool
    ) {
        self.name = name
        self.replicaIdentity = replicaIdentity
        self.hasIdentityIndex = hasIdentityIndex
        self.isPublished = isPublished
        self.hasRowFilter = hasRowFilter
        self.hasColumnList = hasColumnList
    }

    /// Whether PostgreSQL lets it be updated while it is published.
    public var hasIdentity: Bool {
        switch replicaIdentity {
        case .full: true
        case .nothing: false
        case .default, .index: hasIdentityIndex
        }
    }
}

extension TableFacts {
    /// Ordinary permanent tables that users made, partitions among them.
    static func read(_ connection: Connection, publication: String) throws(PostgresError) -> [TableFacts] {
        let coverage = PublicationSQL(serverVersion: connection.serverVersion)
        let sql = """
            SELECT n.nspname, c.relname, c.relreplident::text, EXISTS (\
            SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate \
            AND i.indpred IS NULL AND ((c.relreplident = 'd' AND i.indisprimary) \
            OR (c.relreplident = 'i' AND i.indisreplident))), \
            COALESCE(cover.published, false), COALESCE(cover.filtered, false), COALESCE(cover.listed, false) \
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
            LEFT JOIN (\(coverage.subquery)) cover ON cover.relation = c.oid \
            WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND c.oid >= 16384 AND n.nspname <> 'walden' \
            ORDER BY 1, 2
            """
        return try connection.execute(sql, [publication]).rows.compactMap(TableFacts.init(row:))
    }

    private init?(row: [String?]) {
        guard row.count == 7, let schema = row[0], let name = row[1],
            let identity = row[2]?.utf8.first.flatMap(ReplicaIdentity.init)
        else { return nil }
        self.init(
            name: TableName(schema: schema, name: name), replicaIdentity: identity, hasIdentityIndex: row[3] == "t",
            isPublished: row[4] == "t", hasRowFilter: row[5] == "t", hasColumnList: row[6] == "t")
    }
}

/// Which relations a publication covers, as a subquery `(relation, published, filtered, listed)` over `$1`, the
/// publication's name.
///
/// A relation is covered by FOR ALL TABLES, by name, by its schema (since 15), or by a partitioned ancestor that is.
/// `published` asks for all four kinds of change; `filtered` and `listed` tell of row filters and column lists.
struct PublicationSQL {
    let serverVersion: Int

    var subquery: String {
        let byName =
            serverVersion >= 150_000
            ? "SELECT p.oid, pr.prrelid, pr.prqual IS NOT NULL, pr.prattrs IS NOT NULL "
            : "SELECT p.oid, pr.prrelid, false, false "
        let bySchema =
            serverVersion >= 150_000
            ? " UNION ALL SELECT p.oid, c.oid, false, false FROM pub p JOIN pg_catalog.pg_publication_namespace pn "
                + "ON pn.pnpubid = p.oid JOIN pg_catalog.pg_class c ON c.relnamespace = pn.pnnspid "
            : ""
        return """
            WITH pub AS (SELECT * FROM pg_catalog.pg_publication WHERE pubname = $1), \
            named (pubid, relation, filtered, listed) AS (\
            \(byName)FROM pub p JOIN pg_catalog.pg_publication_rel pr ON pr.prpubid = p.oid\(bySchema)), \
            covered (pubid, relation, filtered, listed) AS (\
            SELECT p.oid, c.oid, false, false FROM pub p, pg_catalog.pg_class c WHERE p.puballtables \
            UNION ALL SELECT d.pubid, t.relid, d.filtered, d.listed FROM named d, \
            LATERAL (SELECT d.relation AS relid UNION SELECT relid FROM pg_catalog.pg_partition_tree(d.relation)) t) \
            SELECT v.relation, pg_catalog.bool_or(p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate) \
            AS published, pg_catalog.bool_or(v.filtered) AS filtered, pg_catalog.bool_or(v.listed) AS listed \
            FROM covered v JOIN pub p ON p.oid = v.pubid JOIN pg_catalog.pg_class c ON c.oid = v.relation \
            WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.oid >= 16384 GROUP BY v.relation
            """
    }
}
