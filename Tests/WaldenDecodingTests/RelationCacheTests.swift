import Testing
import WaldenCore

@testable import WaldenDecoding

@Suite struct RelationCacheTests {
    private func relation(_ id: UInt32, _ columns: String..., key: Int = 0) -> RelationDescription {
        RelationDescription(
            id: RelationID(id), namespace: "public", name: "t", replicaIdentity: .default,
            columns: columns.enumerated().map { index, name in
                RelationDescription.Column(name: name, type: .text, typeModifier: -1, isKey: index == key)
            })
    }

    @Test func theSameDescriptionKeepsTheObject() throws {
        var cache = RelationCache(maxBytes: 1 << 20)
        let first = relation(1, "a", "b")
        try cache.describe(first)
        try cache.describe(relation(1, "a", "b"))
        #expect(cache[RelationID(1)] === first)
        #expect(cache[RelationID(2)] == nil)
    }

    @Test func anyDifferenceIsANewObject() throws {
        let first = relation(1, "a", "b")
        let column = first.columns[0]
        let others = [
            relation(1, "a"), relation(1, "a", "c"), relation(1, "b", "a"), relation(1, "a", "b", key: 1),
            RelationDescription(
                id: first.id, namespace: "other", name: "t", replicaIdentity: .default, columns: first.columns),
            RelationDescription(
                id: first.id, namespace: "public", name: "u", replicaIdentity: .default, columns: first.columns),
            RelationDescription(
                id: first.id, namespace: "public", name: "t", replicaIdentity: .full, columns: first.columns),
            RelationDescription(
                id: first.id, namespace: "public", name: "t", replicaIdentity: .default,
                columns: [
                    .init(name: column.name, type: .int4, typeModifier: -1, isKey: true), first.columns[1],
                ]),
            RelationDescription(
                id: first.id, namespace: "public", name: "t", replicaIdentity: .default,
                columns: [
                    .init(name: column.name, type: .text, typeModifier: 8, isKey: true), first.columns[1],
                ]),
        ]
        for other in others {
            var cache = RelationCache(maxBytes: 1 << 20)
            try cache.describe(first)
            try cache.describe(other)
            #expect(cache[first.id] === other)
        }
    }

    @Test func anOverlayUsesTheObjectThatStands() throws {
        var cache = RelationCache(maxBytes: 1 << 20)
        let first = relation(1, "a")
        try cache.describe(first)
        var overlay: RelationCache.Overlay = [:]
        try cache.describe(relation(1, "a"), in: &overlay)
        #expect(overlay[first.id]?.relation === first)
        let altered = relation(1, "a", "b")
        try cache.describe(altered, in: &overlay)
        #expect(overlay[first.id]?.relation === altered)
        #expect(cache[first.id] === first)
        cache.merge(overlay)
        #expect(cache[first.id] === altered)
    }

    @Test func theLaterDescriptionWinsAMerge() throws {
        var cache = RelationCache(maxBytes: 1 << 20)
        var overlay: RelationCache.Overlay = [:]
        try cache.describe(relation(1, "old"), in: &overlay)
        let later = relation(1, "new")
        try cache.describe(later)
        cache.merge(overlay)
        #expect(cache[later.id] === later)
    }

    @Test func theBoundHoldsOverAll() throws {
        var cache = RelationCache(maxBytes: 4 * relation(1, "a").byteCost)
        var overlays: [RelationCache.Overlay] = [[:], [:]]
        try cache.describe(relation(1, "a"))
        try cache.describe(relation(1, "a"), in: &overlays[0])
        try cache.describe(relation(2, "a"), in: &overlays[0])
        try cache.describe(relation(1, "a"), in: &overlays[1])
        cache.discard(overlays[1])
        cache.merge(overlays[0])
        // Two relations are left.
        try cache.describe(relation(3, "a"))
        try cache.describe(relation(4, "a"))
        #expect(throws: WaldenDecoding.DecodingError.limitExceeded(.catalogBytes)) {
            try cache.describe(relation(5, "a"))
        }
    }
}
