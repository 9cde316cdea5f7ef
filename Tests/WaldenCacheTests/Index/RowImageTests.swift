import Testing
import WaldenCore
import WaldenDependency

@testable import WaldenCache

@Suite struct RowImageTests {
    private static let relation = TestRelation(["a", "b"], key: ["a"])

    @Test func anInsertHasOnlyANewImage() {
        let change = Self.relation.insert([1, 2])
        #expect(change.newImage != nil)
        #expect(change.oldImage == nil)
    }

    @Test func aDeleteHasOnlyAnOldImage() {
        let change = Self.relation.delete([1, .notSent])
        #expect(change.newImage == nil)
        #expect(change.oldImage?.value(of: column("a"), at: 0, isKey: true) == .known(.integer(1)))
        #expect(change.oldImage?.value(of: column("b"), at: 1, isKey: false) == .unknown)
    }

    /// An update that sent no old row left the key as it was; of the rest nothing is known.
    @Test func anUnsentOldRowIsKnownByItsKey() {
        let old = Self.relation.update(nil, [1, 2]).oldImage
        #expect(old?.value(of: column("a"), at: 0, isKey: true) == .known(.integer(1)))
        #expect(old?.value(of: column("b"), at: 1, isKey: false) == .unknown)
    }

    @Test func columnsThatAreNotInTheImageAreUnknown() {
        let new = Self.relation.insert([1, 2]).newImage
        #expect(new?.value(of: column("x"), at: -1, isKey: false) == .unknown)
        #expect(new?.value(of: column("x"), at: 2, isKey: false) == .unknown)
    }

    @Test(arguments: [
        // old, new, certainly unchanged
        (Cell.integer(1), Cell.integer(1), true),
        (.integer(1), .integer(2), false),
        (.null, .null, true),
        (.null, .integer(1), false),
        (.integer(1), .null, false),
        (.notSent, .integer(1), false),
        (.notSent, .notSent, false),
        (.integer(1), .unchangedToast, true),
        (.notSent, .unchangedToast, true),
        (.unchangedToast, .integer(1), false),
        (.text("1.0"), .text("1.00"), false),
    ])
    func comparesImages(old: Cell, new: Cell, unchanged: Bool) {
        let change = Self.relation.update([0, old], [0, new])
        #expect(change.isUnchanged(at: 1, isKey: false) == unchanged)
    }

    @Test func withoutAnOldRowOnlyTheKeyIsUnchanged() {
        let change = Self.relation.update(nil, [1, 2])
        #expect(change.isUnchanged(at: 0, isKey: true))
        #expect(!change.isUnchanged(at: 1, isKey: false))
        #expect(!change.isUnchanged(at: 7, isKey: true))
    }

    /// Fields that point outside the bytes come from a broken stream; they must not trap.
    @Test func rangesOutsideTheBytesAreNotEqual() {
        let field = Field(kind: .text, offset: 100, length: 4)
        let change = RowChange(
            kind: .update, relation: Self.relation.description, bytes: [], old: [field, field], new: [field, field])
        #expect(!change.isUnchanged(at: 0, isKey: false))
    }

    @Test func valuesAreDecodedOncePerImage() {
        var relation = RelationIndex()
        let number = relation.number(of: column("a"))
        relation.use(Self.relation.description)
        var values = ImageValues()
        guard let first = Self.relation.insert([1, 2]).newImage, let second = Self.relation.insert([nil, 2]).newImage
        else { return }
        values.begin(first, columnCount: 1)
        values.load(number, in: relation)
        #expect(values[number].value == .known(.integer(1)))
        #expect(values[number].hash == ValueHash.of(.integer(1)))
        values.begin(second, columnCount: 1)
        values.load(number, in: relation)
        #expect(values[number].value == .null)
        #expect(values[number].hash == ValueHash.null)
    }
}
