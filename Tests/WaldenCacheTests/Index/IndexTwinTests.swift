import Testing
import WaldenCore
import WaldenDependency

@testable import WaldenCache

/// Random predicates and random changes: the index names exactly the entries that evaluating each of them names.
@Suite struct IndexTwinTests {
    @Test(arguments: 0..<24)
    func namesExactlyWhatEvaluationNames(seed: Int) {
        var world = IndexWorld(seed: UInt64(seed))
        for _ in 0..<400 { world.step() }
        #expect(world.changes > 100)
        #expect(world.matched > 100)
    }

    /// After everything has been removed the index holds nothing.
    @Test func removalLeavesNothing() {
        var world = IndexWorld(seed: 99)
        for _ in 0..<300 { world.step() }
        world.removeAll()
        #expect(world.index.postings.count == 0)
        #expect(world.index.groups.count == 0)
        #expect(world.index.intervals.count == 0)
        #expect(world.index.residuals.count == 0)
        #expect(world.index.relations.allSatisfy { $0.groups.isEmpty })
    }
}

/// An index and its twin under the same random steps.
private struct IndexWorld {
    static let names = ["a", "b", "c", "d"]

    var random: SplitMix64
    var index = PredicateIndex()
    var images = ImagePair()
    var twin = IndexTwin()
    var receipts: [Int32: Int32] = [:]
    var nextEntry: Int32 = 0
    var changes = 0
    var matched = 0
    /// The same relation in shapes that come and go: keys, identity, a missing column, a column of another type.
    let shapes = [
        TestRelation(names, text: ["d"], key: ["a"]),
        TestRelation(names, text: ["d"], key: ["a", "b"]),
        TestRelation(names, text: ["d"], identity: .full),
        TestRelation(["b", "a", "d"], text: ["d"], key: ["a"]),
        TestRelation(names, text: ["c", "d"], key: ["b"]),
    ]
    var shape = 0

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    mutating func step() {
        switch random.below(100) {
        case 0..<45: insert()
        case 45..<52: removeOne()
        case 52..<54: shape = random.below(shapes.count)
        default: change()
        }
    }

    mutating func removeAll() {
        for (entry, first) in receipts {
            index.remove(first)
            twin.remove(entry)
        }
        receipts = [:]
    }

    private mutating func insert() {
        var tables: [TableDependency] = []
        for _ in 0..<(random.chance(85) ? 1 : 2) {
            let alternatives = (0..<(random.chance(70) ? 1 : 3)).map { _ in conjunction() }
            let columns: Set<String>? =
                random.chance(50) ? nil : Set(Self.names.filter { _ in random.chance(60) })
            tables.append(
                TableDependency(
                    relation: RelationID(random.chance(90) ? 100 : 200), columns: columns,
                    predicate: Predicate(alternatives: alternatives)))
        }
        var dependencies = Dependencies(tables: tables)
        var keys: ResultKeys?
        if random.chance(40) { (dependencies, keys) = keyed(tables) }
        receipts[nextEntry] =
            index.insert(nextEntry, dependencies, keys: FiledKeys(keys, of: dependencies)).first
        twin.insert(nextEntry, dependencies, keys)
        nextEntry += 1
    }

    /// The same tables, of which the first shows keys of one or two columns in its result.
    private mutating func keyed(_ tables: [TableDependency]) -> (Dependencies, ResultKeys) {
        let choices = [[column("a")], [column("b")], [column("b"), column("a")], [column("a"), textColumn("d")]]
        let columns = choices[random.below(choices.count)]
        let plan = ResultKeyPlan(
            width: columns.count,
            keys: [columns.enumerated().map { ResultKeyPlan.Column(reference: $1, position: $0) }])
        var values: [FieldValue] = []
        for _ in 0..<random.below(5) {
            for column in columns {
                if random.chance(5) {
                    values.append(.null)
                } else if column.family == .text {
                    values.append(.known(.bytes(Array(["x", "y", "z"][random.below(3)].utf8))))
                } else {
                    values.append(.known(.integer(value())))
                }
            }
        }
        var marked = tables
        marked[0] = TableDependency(
            relation: tables[0].relation, columns: tables[0].columns, predicate: tables[0].predicate, resultKey: 0)
        return (Dependencies(tables: marked, resultKeys: plan), ResultKeys(values: [values]))
    }

    private mutating func removeOne() {
        guard let entry = receipts.keys.sorted().randomElement(using: &random), let first = receipts[entry] else {
            return
        }
        index.remove(first)
        twin.remove(entry)
        receipts[entry] = nil
    }

    private mutating func conjunction() -> Conjunction {
        Conjunction(terms: (0..<random.below(5)).map { _ in term() })
    }

    private mutating func term() -> Term {
        if random.chance(20) {
            let labels = ["x", "y", "z"].filter { _ in random.chance(50) }
            let values = labels.map { Value.bytes(Array($0.utf8)) }
            return Term(column: textColumn("d"), test: values.isEmpty ? .isNull : .isIn(values))
        }
        let name = column(Self.names[random.below(3)])
        switch random.below(20) {
        case 0..<9: return Term(column: name, test: .isIn([.integer(value())]))
        case 9..<12:
            return Term(column: name, test: .isIn(Set((0..<3).map { _ in value() }).sorted().map { .integer($0) }))
        case 12: return Term(column: name, test: .isIn((0..<12).map { .integer($0) }))
        case 13..<17: return Term(column: name, test: .isWithin(lower: bound(), upper: bound()))
        case 17: return Term(column: name, test: .isNull)
        case 18: return Term(column: name, test: random.chance(50) ? .isNotNull : .isNot(.integer(value())))
        default: return Term(column: name, test: random.chance(30) ? .never : .isNotNull)
        }
    }

    private mutating func value() -> Int64 { Int64(random.below(12)) }

    private mutating func bound() -> Bound {
        switch random.below(3) {
        case 0: .unbounded
        case 1: .inclusive(.integer(value()))
        default: .exclusive(.integer(value()))
        }
    }

    private mutating func change() {
        let relation = shapes[shape]
        let columns = relation.description.columns
        let new = columns.map { cell($0, mayBeToast: true) }
        let change: RowChange
        switch random.below(3) {
        case 0: change = relation.insert(columns.map { cell($0, mayBeToast: false) })
        case 1: change = relation.delete(old(near: columns.map { cell($0, mayBeToast: false) }, columns))
        default:
            let sent = relation.description.replicaIdentity == .full || random.chance(30)
            change = relation.update(sent ? old(near: new, columns) : nil, new)
        }
        let expected = twin.matches(change)
        var matches: [Match] = []
        index.match(change, images: &images, into: &matches)
        let found = Set(matches.map(\.entry))
        #expect(found == expected, "\(change.kind) shape \(shape)")
        changes += 1
        matched += found.count
        // What was dropped is gone, as in the cache; not always, so that entries pile up too.
        if random.chance(25) {
            for entry in found {
                if let first = receipts.removeValue(forKey: entry) { index.remove(first) }
                twin.remove(entry)
            }
        }
    }

    private mutating func cell(_ column: RelationDescription.Column, mayBeToast: Bool) -> Cell {
        if random.chance(10) { return .null }
        if mayBeToast, random.chance(10) { return .unchangedToast }
        return column.type == .text ? .text(["x", "y", "z"][random.below(3)]) : .integer(value())
    }

    /// An old row that often agrees with the new one, and is only a key unless the identity is full.
    private mutating func old(near new: [Cell], _ columns: [RelationDescription.Column]) -> [Cell] {
        columns.indices.map { position in
            if shapes[shape].description.replicaIdentity != .full, !columns[position].isKey { return .notSent }
            return random.chance(60) ? new[position] : cell(columns[position], mayBeToast: false)
        }
    }
}
