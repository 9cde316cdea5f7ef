internal import WaldenCore

/// The part of the judgement that concerns the database: what the publication covers and what `walden init` made.
extension Judgement {
    static func publication(_ facts: ServerFacts) -> Finding {
        let name = facts.publicationName
        guard let publication = facts.publication else {
            return Finding(
                .publication, .mustFix, "the publication is missing", evidence: "no \"\(name)\" in pg_publication",
                cure: "walden init, as a superuser")
        }
        return Finding(
            .publication, .ok, "the publication is there",
            evidence: publication.coversAllTables ? "\"\(name)\" FOR ALL TABLES" : "\"\(name)\" for chosen tables")
    }

    static func publicationActions(_ facts: ServerFacts) -> [Finding] {
        guard let publication = facts.publication, !publication.publishesAll else { return [] }
        return [
            Finding(
                .publicationActions, .mustFix, "the publication leaves out some kinds of change",
                evidence: "pubinsert, pubupdate, pubdelete and pubtruncate are not all true",
                cure: "ALTER PUBLICATION \(ReplicationCommands.identifier(facts.publicationName)) "
                    + "SET (publish = 'insert, update, delete, truncate');")
        ]
    }

    static func tables(_ facts: ServerFacts) -> [Finding] {
        guard facts.publication != nil else { return [] }
        let publication = ReplicationCommands.identifier(facts.publicationName)
        let published = facts.tables.filter(\.isPublished)
        return [
            coverage(facts, publication),
            narrowed(.rowFilters, "row filter", published.filter(\.hasRowFilter), publication),
            narrowed(.columnLists, "column list", published.filter(\.hasColumnList), publication),
            identity(published), precision(published),
        ]
    }

    private static func coverage(_ facts: ServerFacts, _ publication: String) -> Finding {
        let missing = facts.tables.filter { !$0.isPublished }
        let count = "\(facts.tables.count - missing.count) of \(facts.tables.count) tables"
        guard let first = missing.first else {
            return Finding(.coverage, .ok, "every table is published", evidence: count)
        }
        return Finding(
            .coverage, .warning, "tables that are not published are not cached",
            evidence: "\(count); not \(sample(missing))",
            cure: "ALTER PUBLICATION \(publication) ADD TABLE \(first.name);")
    }

    private static func narrowed(
        _ id: Finding.ID, _ noun: String, _ tables: [TableFacts], _ publication: String
    ) -> Finding {
        guard let first = tables.first else {
            return Finding(id, .ok, "no table is published with a \(noun)", evidence: "pg_publication_rel")
        }
        return Finding(
            id, .warning, "tables published with a \(noun) are not cached", evidence: sample(tables),
            cure: "ALTER PUBLICATION \(publication) DROP TABLE \(first.name); "
                + "ALTER PUBLICATION \(publication) ADD TABLE \(first.name);")
    }

    private static func identity(_ published: [TableFacts]) -> Finding {
        let lacking = published.filter { !$0.hasIdentity }
        guard let first = lacking.first else {
            return Finding(
                .replicaIdentity, .ok, "every published table has a replica identity",
                evidence: "\(published.count) tables")
        }
        return Finding(
            .replicaIdentity, .mustFix, "PostgreSQL refuses UPDATE and DELETE on published tables without an identity",
            evidence: sample(lacking), cure: "ALTER TABLE \(first.name) REPLICA IDENTITY FULL;")
    }

    private static func precision(_ published: [TableFacts]) -> Finding {
        let full = published.filter { $0.replicaIdentity == .full }
        let rest = published.filter { $0.replicaIdentity != .full && $0.hasIdentity }
        guard let first = rest.first else {
            return Finding(.identityPrecision, .ok, "old rows are logged in full", evidence: "\(full.count) tables")
        }
        return Finding(
            .identityPrecision, .ok,
            "of old rows the log carries the key; where updates drop results that they do not concern, FULL tells more",
            evidence: "\(full.count) tables with REPLICA IDENTITY FULL, \(rest.count) with a key",
            cure: "ALTER TABLE \(first.name) REPLICA IDENTITY FULL;")
    }

    static func eventTriggers(_ facts: ServerFacts) -> Finding {
        let wanted = ["walden_ddl", "walden_drop", "walden_start"]
        let found = Dictionary(
            facts.eventTriggers.map { ($0.name, $0.enabled) }, uniquingKeysWith: { first, _ in first })
        if let missing = wanted.first(where: { found[$0] == nil }) {
            return Finding(
                .eventTriggers, .mustFix, "schema changes do not reach the log",
                evidence: "no event trigger \(missing)",
                cure: "walden init, as a superuser")
        }
        // One that fires for ordinary sessions only misses those with session_replication_role = replica.
        if let off = wanted.first(where: { found[$0] != "A" }) {
            return Finding(
                .eventTriggers, .mustFix, "schema changes do not reach the log",
                evidence: "event trigger \(off) does not always fire", cure: "ALTER EVENT TRIGGER \(off) ENABLE ALWAYS;"
            )
        }
        return Finding(
            .eventTriggers, .ok, "schema changes reach the log", evidence: wanted.joined(separator: ", "))
    }

    static func schemaVersion(_ facts: ServerFacts) -> Finding {
        let wanted = Installer.schemaVersion
        guard let version = facts.schemaVersion else {
            return Finding(
                .schemaVersion, .mustFix, "Walden's own objects are not installed",
                evidence: "no walden.schema_version()",
                cure: "walden init, as a superuser")
        }
        if version == wanted {
            return Finding(.schemaVersion, .ok, "Walden's own objects are current", evidence: "version \(version)")
        }
        return Finding(
            .schemaVersion, .warning,
            version < wanted ? "Walden's own objects are of an older program" : "a newer Walden has been here",
            evidence: "version \(version), this program installs \(wanted)",
            cure: version < wanted ? "walden init, as a superuser" : "use the newer program")
    }

    private static func sample(_ tables: [TableFacts]) -> String {
        let shown = tables.prefix(5).map(\.name.description).joined(separator: ", ")
        return tables.count > 5 ? "\(shown) and \(tables.count - 5) more" : shown
    }
}
