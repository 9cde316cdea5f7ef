import WaldenCore
import WaldenDependency

/// One row as far as the stream tells it: the new row, the old row, or what is known of an old row that was not sent.
struct RowImage: Sendable {
    let fields: [Field]
    let bytes: [UInt8]
    /// An update that sent no old row left the key as it is in the new one and tells nothing of the other columns.
    let keysOnly: Bool

    func value(of column: ColumnReference, at position: Int, isKey: Bool) -> FieldValue {
        guard position >= 0, position < fields.count, isKey || !keysOnly else { return .unknown }
        return FieldDecoding.value(of: fields[position], bytes: bytes, type: column.type, family: column.family)
    }
}

extension RowChange {
    var newImage: RowImage? {
        new.map { RowImage(fields: $0, bytes: bytes, keysOnly: false) }
    }

    var oldImage: RowImage? {
        if let old { return RowImage(fields: old, bytes: bytes, keysOnly: false) }
        guard kind == .update, let new else { return nil }
        return RowImage(fields: new, bytes: bytes, keysOnly: true)
    }

    /// Whether an update certainly left the column as it was. Compares bytes, not values: 1.0 and 1.00 read
    /// differently.
    func isUnchanged(at position: Int, isKey: Bool) -> Bool {
        guard let new, position < new.count else { return false }
        let after = new[position]
        if after.kind == .unchangedToast { return true }
        guard let old else { return isKey }
        guard position < old.count else { return false }
        let before = old[position]
        guard before.kind == after.kind, before.length == after.length else { return false }
        switch before.kind {
        case .null: return true
        case .notSent, .unchangedToast: return false
        case .text, .binary:
            guard before.range.upperBound <= bytes.count, after.range.upperBound <= bytes.count else { return false }
            return bytes[before.range] == bytes[after.range]
        }
    }
}

/// The values of one image, decoded when first asked for and kept for all groups of the index.
struct ImageValues: Sendable {
    struct Column: Sendable {
        var stamp: UInt64 = 0
        var value = FieldValue.unknown
        var hash: UInt64 = 0
    }

    private var columns: [Column] = []
    private var stamp: UInt64 = 0
    private var image = RowImage(fields: [], bytes: [], keysOnly: false)
    private(set) var isOld = false

    mutating func begin(_ image: RowImage, isOld: Bool = false, columnCount: Int) {
        stamp &+= 1
        self.isOld = isOld
        self.image = image
        while columns.count < columnCount { columns.append(Column()) }
    }

    /// Makes sure that a column is decoded.
    @inline(__always)
    mutating func load(_ number: Int, in relation: borrowing RelationIndex) {
        if columns[number].stamp != stamp { decode(number, in: relation) }
    }

    /// Of a loaded column.
    @inline(__always)
    subscript(_ number: Int) -> Column {
        _read { yield columns[number] }
    }

    private mutating func decode(_ number: Int, in relation: borrowing RelationIndex) {
        let value = relation.value(of: number, in: image)
        columns[number].stamp = stamp
        switch value {
        case .known(let known): columns[number].hash = ValueHash.of(known)
        case .null: columns[number].hash = ValueHash.null
        case .unknown: columns[number].hash = 0
        }
        columns[number].value = value
    }
}

/// Both images of the change at hand. Kept between changes for its memory.
struct ImagePair: Sendable {
    var new = ImageValues()
    var old = ImageValues()
}
