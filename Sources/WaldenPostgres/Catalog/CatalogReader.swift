internal import WaldenCore
public import WaldenDependency

/// Reads what statement analysis needs of the system catalogs, all as of one moment. The catalogs are readable by every
/// role.
public enum CatalogReader {
    /// - Parameters:
    ///   - publication: the one that the stream follows; it decides which relations count as published.
    ///   - generation: must rise with every snapshot of the process.
    ///   - tellsRefresh: whether event triggers tell when a materialized view is refreshed.
    ///   - timeout: for each of the sixteen questions. Default 30 s.
    public static func read(
        _ connection: Connection, publication: String, generation: UInt64, tellsRefresh: Bool = true,
        timeout: Duration = .seconds(30)
    ) throws(PostgresError) -> CatalogSnapshot {
        func ask(_ sql: String, _ parameters: [String?] = []) throws(PostgresError) -> [CatalogRow] {
            try connection.execute(sql, parameters, timeout: timeout).rows.map(CatalogRow.init)
        }
        _ = try ask(CatalogQueries.begin)
        do throws(PostgresError) {
            let relations = try ask(
                CatalogQueries.relations(serverVersion: connection.serverVersion), [publication])
            let snapshot = CatalogSnapshot(
                generation: generation,
                searchPaths: SearchPathDefaults(
                    server: try ask(CatalogQueries.serverSearchPath).first?.text(0) ?? unknownSearchPath,
                    settings: try ask(CatalogQueries.searchPaths).compactMap(\.searchPath)),
                namespaces: try ask(CatalogQueries.namespaces).compactMap(\.namespace),
                relations: assemble(
                    relations, columns: try ask(CatalogQueries.columns), links: try ask(CatalogQueries.inheritance)),
                types: try ask(CatalogQueries.types).compactMap(\.type),
                functions: try ask(CatalogQueries.functions).compactMap(\.function),
                operators: try ask(CatalogQueries.operators).compactMap(\.operatorEntry),
                casts: try ask(CatalogQueries.casts).compactMap(\.cast), security: try security(ask),
                tellsRefresh: tellsRefresh)
            _ = try ask(CatalogQueries.end)
            return snapshot
        } catch {
            // The transaction failed; nothing else may run in it.
            connection.close()
            throw error
        }
    }

    /// Last, for it changes how names are printed.
    private static func security(
        _ ask: (String, [String?]) throws(PostgresError) -> [CatalogRow]
    ) throws(PostgresError) -> SecurityEntries {
        _ = try ask(CatalogQueries.emptySearchPath, [])
        return SecurityEntries(
            views: try ask(CatalogQueries.views, []).compactMap(\.view),
            rowSecurity: try ask(CatalogQueries.rowSecurity, []).compactMap(\.rowSecurity),
            policies: try ask(CatalogQueries.policies, []).compactMap(\.policy),
            roles: try ask(CatalogQueries.roles, []).compactMap(\.role),
            rolesAreAssigned: try ask(CatalogQueries.assignedRoles, []).first?.text(0) != "f")
    }

    /// Not a list of identifiers, so that nothing is resolved through it: the control role has a `search_path` of its
    /// own, and the server's cannot be seen.
    private static let unknownSearchPath = "\""

    private static func assemble(
        _ relations: [CatalogRow], columns: [CatalogRow], links: [CatalogRow]
    ) -> [RelationEntry] {
        var columnsByRelation: [RelationID: [ColumnEntry]] = [:]
        for row in columns {
            guard let relation = row.relation(0), let column = row.column else { continue }
            columnsByRelation[relation, default: []].append(column)
        }
        var parents: [RelationID: [RelationID]] = [:]
        var children: [RelationID: [RelationID]] = [:]
        for row in links {
            guard let child = row.relation(0), let parent = row.relation(1) else { continue }
            parents[child, default: []].append(parent)
            children[parent, default: []].append(child)
        }
        return relations.compactMap { row in
            guard let id = row.relation(0) else { return nil }
            return row.relationEntry(
                columns: columnsByRelation[id] ?? [], parents: parents[id] ?? [], children: children[id] ?? [])
        }
    }
}
