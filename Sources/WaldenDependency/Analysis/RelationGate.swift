import WaldenCore

extension NameResolver {
    /// The relation with its ancestors and descendants, if every change of its rows is in the stream.
    func check(_ relation: RelationEntry) throws(Refusal) -> [RelationEntry] {
        let name = "\(relation.schema).\(relation.name)"
        if relation.isSystem { throw Refusal(.systemRelation, "\(name) belongs to the system") }
        switch relation.kind {
        case .table, .partitioned: break
        case .view: throw Refusal(.view, "\(name) is a view")
        case .materializedView:
            // No row of it is in the stream; that it was refreshed or altered is, if event triggers write it there.
            guard catalog.tellsRefresh else {
                throw Refusal(.view, "\(name) is a materialized view, and no event trigger tells of its refresh")
            }
            return [relation]
        case .foreign: throw Refusal(.foreign, "\(name) is a foreign table")
        case .sequence: throw Refusal(.sequence, "\(name) is a sequence")
        case .toast, .composite, .index, .partitionedIndex: throw Refusal(.unknownRelation, "\(name) is no table")
        }
        // Otherwise `RelationExpansion` has seen to its policies.
        if relation.hasRowSecurity, catalog.security.rowSecurity[relation.id] == nil {
            throw Refusal(.rowSecurity, "\(name) has row security")
        }
        let family = catalog.family(of: relation)
        let descendants = catalog.descendants(of: relation)
        for member in [relation] + descendants { try checkStorage(member) }
        for member in family {
            if !member.publication.isDisjoint(with: [.hasRowFilter, .hasColumnList]) {
                throw Refusal(.notPublished, "\(member.schema).\(member.name) is published with a filter")
            }
        }
        return family
    }

    private func checkStorage(_ member: RelationEntry) throws(Refusal) {
        let name = "\(member.schema).\(member.name)"
        switch member.persistence {
        case .permanent: break
        case .unlogged: throw Refusal(.unlogged, "\(name) is unlogged")
        case .temporary: throw Refusal(.temporary, "\(name) is temporary")
        }
        // A partitioned table has no rows of its own.
        if member.kind == .partitioned { return }
        guard member.kind == .table else { throw Refusal(.foreign, "\(name) is not an ordinary table") }
        if member.replicaIdentity == .nothing {
            throw Refusal(.replicaIdentityNothing, "\(name) has REPLICA IDENTITY NOTHING")
        }
        let isPublished =
            member.publication.contains(.published)
            || catalog.ancestors(of: member).contains {
                $0.kind == .partitioned && $0.publication.contains(.published)
            }
        guard isPublished else { throw Refusal(.notPublished, "\(name) is not in the publication") }
    }
}
