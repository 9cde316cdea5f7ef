import Testing
import WaldenCore

@testable import WaldenDependency

/// Whether changes of rows affect a dependency.
struct TableMatcherTests {
    private static func relation(_ identity: ReplicaIdentity = .default, type: TypeID = .int4) -> RelationDescription {
        let isFull = identity == .full
        return RelationDescription(
            id: RelationID(1), namespace: "public", name: "t", replicaIdentity: identity,
            columns: [
                .init(name: "id", type: .int4, typeModifier: -1, isKey: true),
                .init(name: "a", type: type, typeModifier: -1, isKey: isFull),
                .init(name: "b", type: .text, typeModifier: -1, isKey: isFull),
            ])
    }

    /// Cells in text form; `~` null, `?` not sent, `^` unchanged TOAST.
    private static func change(
        _ kind: RowChange.Kind, old: [String]?, new: [String]?, _ relation: RelationDescription = relation()
    ) -> RowChange {
        var bytes: [UInt8] = []
        func image(_ cells: [String]) -> [Field] {
            cells.map { cell in
                switch cell {
                case "~": return Field(kind: .null)
                case "?": return Field(kind: .notSent)
                case "^": return Field(kind: .unchangedToast)
                default:
                    defer { bytes += Array(cell.utf8) }
                    return Field(kind: .text, offset: UInt32(bytes.count), length: UInt32(cell.utf8.count))
                }
            }
        }
        let oldImage = old.map(image)
        let newImage = new.map(image)
        return RowChange(kind: kind, relation: relation, bytes: bytes, old: oldImage, new: newImage)
    }

    private static let id = ColumnReference(name: "id", type: .int4, family: .integer)
    private static let a = ColumnReference(name: "a", type: .int4, family: .integer)

    private static func dependency(_ terms: [Term], columns: Set<String>? = ["id", "a"]) -> TableDependency {
        TableDependency(
            relation: RelationID(1), columns: columns, predicate: Predicate(alternatives: [Conjunction(terms: terms)]))
    }

    private static let aIsFive = dependency([Term(column: a, test: .isIn([.integer(5)]))])
    private static let idIsOne = dependency([Term(column: id, test: .isIn([.integer(1)]))])
    private static let everyRow = dependency([])

    @Test func inserts() {
        #expect(Self.aIsFive.affects(Self.change(.insert, old: nil, new: ["1", "5", "x"])))
        #expect(!Self.aIsFive.affects(Self.change(.insert, old: nil, new: ["1", "6", "x"])))
        #expect(!Self.aIsFive.affects(Self.change(.insert, old: nil, new: ["1", "~", "x"])))
        #expect(Self.everyRow.affects(Self.change(.insert, old: nil, new: ["1", "~", "x"])))
    }

    @Test func deletesByTheirKeyAlone() {
        #expect(Self.idIsOne.affects(Self.change(.delete, old: ["1", "?", "?"], new: nil)))
        #expect(!Self.idIsOne.affects(Self.change(.delete, old: ["2", "?", "?"], new: nil)))
        #expect(Self.aIsFive.affects(Self.change(.delete, old: ["1", "?", "?"], new: nil)))
        #expect(Self.aIsFive.affects(Self.change(.delete, old: nil, new: nil)))
    }

    @Test func updatesWithBothImages() {
        let full = Self.relation(.full)
        func update(_ old: [String], _ new: [String]) -> RowChange { Self.change(.update, old: old, new: new, full) }
        #expect(Self.aIsFive.affects(update(["1", "5", "x"], ["1", "6", "x"])))
        #expect(Self.aIsFive.affects(update(["1", "6", "x"], ["1", "5", "x"])))
        #expect(!Self.aIsFive.affects(update(["1", "6", "x"], ["1", "7", "x"])))
        // Within the result, but no referenced column changed.
        #expect(!Self.aIsFive.affects(update(["1", "5", "x"], ["1", "5", "y"])))
        #expect(Self.dependency([], columns: ["b"]).affects(update(["1", "5", "x"], ["1", "5", "y"])))
        #expect(Self.dependency([], columns: nil).affects(update(["1", "5", "x"], ["1", "5", "y"])))
        #expect(!Self.dependency([], columns: nil).affects(update(["1", "5", "x"], ["1", "5", "x"])))
        #expect(!Self.dependency([], columns: nil).affects(update(["1", "~", "x"], ["1", "~", "x"])))
        #expect(Self.everyRow.affects(update(["1", "~", "x"], ["1", "5", "x"])))
        // TOAST that the update left alone tells nothing.
        #expect(Self.dependency([], columns: ["b"]).affects(update(["1", "5", "x"], ["2", "5", "^"])))
        #expect(Self.dependency([], columns: ["b", "nosuch"]).affects(update(["1", "5", "x"], ["1", "5", "x"])))
    }

    @Test func updatesWithoutAnOldImage() {
        func update(_ new: [String]) -> RowChange { Self.change(.update, old: nil, new: new) }
        // The key is as before, so a row outside stays outside.
        #expect(!Self.idIsOne.affects(update(["2", "5", "x"])))
        #expect(Self.idIsOne.affects(update(["1", "5", "x"])))
        // The old value is not known.
        #expect(Self.aIsFive.affects(update(["1", "6", "x"])))
        // What reads the key alone, or nothing but the number of rows, is not concerned.
        #expect(!Self.dependency([], columns: ["id"]).affects(update(["1", "6", "x"])))
        #expect(!Self.dependency([], columns: []).affects(update(["1", "6", "x"])))
        #expect(Self.dependency([], columns: ["id", "a"]).affects(update(["1", "6", "x"])))
    }

    @Test func updatesOfTheKey() {
        let change = Self.change(.update, old: ["1", "?", "?"], new: ["2", "5", "x"])
        #expect(Self.idIsOne.affects(change))
        #expect(Self.dependency([Term(column: Self.id, test: .isIn([.integer(2)]))]).affects(change))
        #expect(!Self.dependency([Term(column: Self.id, test: .isIn([.integer(3)]))]).affects(change))
        #expect(Self.dependency([], columns: ["id"]).affects(change))
    }

    @Test func unknownColumnsMatch() {
        let other = Self.relation(type: .int8)
        #expect(Self.aIsFive.affects(Self.change(.insert, old: nil, new: ["1", "6", "x"], other)))
        let missing = ColumnReference(name: "generated", type: .int4, family: .integer)
        let dependency = Self.dependency([Term(column: missing, test: .isIn([.integer(1)]))])
        #expect(dependency.affects(Self.change(.insert, old: nil, new: ["1", "6", "x"])))
        #expect(Self.aIsFive.affects(Self.change(.insert, old: nil, new: ["1"])))
        #expect(Self.aIsFive.affects(Self.change(.insert, old: nil, new: ["1", "^", "x"])))
        let never = Self.dependency([Term(column: missing, test: .never)])
        #expect(!never.affects(Self.change(.insert, old: nil, new: ["1", "6", "x"])))
    }

    /// Random predicates on random rows, against `Predicate.evaluate`.
    @Test func matcherIsTheEvaluator() {
        var generator = SplitMix64(seed: 11)
        let relation = Self.relation(.full)
        for _ in 0..<5_000 {
            let terms = (0..<Int(generator.next() % 3)).map { _ in
                Term(
                    column: generator.next() % 2 == 0 ? Self.id : Self.a,
                    test: generator.next() % 3 == 0
                        ? .isNull
                        : .isWithin(lower: .inclusive(.integer(Int64(generator.next() % 4))), upper: .unbounded))
            }
            let dependency = Self.dependency(terms)
            let cells = (0..<3).map { _ in ["0", "1", "2", "3", "~", "?"][Int(generator.next() % 6)] }
            let change = Self.change(.insert, old: nil, new: cells, relation)
            let truth = dependency.predicate.evaluate { column in
                switch cells[column.name == "id" ? 0 : 1] {
                case "~": .null
                case "?": .unknown
                case let text: .known(.integer(Int64(text) ?? 0))
                }
            }
            #expect(dependency.affects(change) == truth.mayHold)
        }
    }
}
