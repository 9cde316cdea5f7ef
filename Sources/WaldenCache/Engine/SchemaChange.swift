import WaldenCore

/// What one transaction changed in the catalog, by the messages that Walden's event triggers wrote into the log
/// (sql/install.sql).
///
/// A message is `ddl TAG IDENTITY`, or `ddl @OID,OID… TAG IDENTITY` for a change whose effect on results is confined to
/// the relations listed, perhaps to none. What cannot be read counts as the first, which concerns every result; so does
/// every message of an older installation.
enum SchemaChange: Hashable, Sendable {
    case none
    /// Results that read these relations, or views of these OIDs.
    case relations(Set<RelationID>)
    case everything

    mutating func add(_ content: [UInt8]) {
        switch (self, Self.relations(in: content)) {
        case (.everything, _), (_, nil): self = .everything
        case (.none, let found?): self = .relations(found)
        case (.relations(let known), let found?): self = .relations(known.union(found))
        }
    }

    /// The list after the @; nil when there is none.
    private static func relations(in content: [UInt8]) -> Set<RelationID>? {
        guard content.starts(with: "ddl @".utf8) else { return nil }
        let list = content.dropFirst(5).prefix { $0 != UInt8(ascii: " ") }
        var found: Set<RelationID> = []
        for part in list.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: list.isEmpty) {
            guard let oid = UInt32(String(decoding: part, as: UTF8.self)) else { return nil }
            found.insert(RelationID(oid))
        }
        return found
    }
}
