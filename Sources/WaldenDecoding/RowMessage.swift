import WaldenCore

/// 'I', 'U' and 'D', read up to their first tuple.
///
/// The tuples are read in a second step, once the relation is known and somebody wants the values: a row of a
/// relation that counts as changed entirely costs no memory.
struct RowMessage {
    /// Which part of the old row stands before the new one.
    enum OldImage {
        case none, key, full
    }

    let kind: RowChange.Kind
    let relation: RelationID
    let subtransaction: UInt32?
    let oldImage: OldImage
    let tag: UInt8
    /// Where the first tuple begins, behind the byte that says which it is.
    private let tuplesOffset: Int

    /// Nil when the message is not of a row.
    static func decode(
        _ reader: inout MessageReader, in bytes: borrowing RawSpan, inChunk: Bool
    ) throws(DecodingError) -> RowMessage? {
        switch reader.tag {
        case UInt8(ascii: "I"): try RowMessage(.insert, &reader, in: bytes, inChunk: inChunk)
        case UInt8(ascii: "U"): try RowMessage(.update, &reader, in: bytes, inChunk: inChunk)
        case UInt8(ascii: "D"): try RowMessage(.delete, &reader, in: bytes, inChunk: inChunk)
        default: nil
        }
    }

    private init(
        _ kind: RowChange.Kind, _ reader: inout MessageReader, in bytes: borrowing RawSpan, inChunk: Bool
    ) throws(DecodingError) {
        self.kind = kind
        tag = reader.tag
        subtransaction = try reader.subtransaction(in: bytes, inChunk: inChunk)
        relation = try reader.relation(in: bytes)
        let first = try reader.byte(in: bytes)
        switch (first, kind) {
        case (UInt8(ascii: "N"), .insert), (UInt8(ascii: "N"), .update): oldImage = .none
        case (UInt8(ascii: "K"), .update), (UInt8(ascii: "K"), .delete): oldImage = .key
        case (UInt8(ascii: "O"), .update), (UInt8(ascii: "O"), .delete): oldImage = .full
        default: throw .unknownVariant(tag: reader.tag, byte: first)
        }
        tuplesOffset = reader.offset
    }

    /// Reads the tuples: one copy of their bytes, one array of fields for each image.
    func change(
        of relation: RelationDescription, in bytes: borrowing RawSpan
    ) throws(DecodingError) -> RowChange {
        var reader = TupleReader(tag: tag, at: tuplesOffset)
        var old: [Field]?
        if oldImage != .none {
            old = try reader.fields(of: relation, keyOnly: oldImage == .key, in: bytes)
        }
        var new: [Field]?
        if kind != .delete {
            if oldImage != .none { try reader.expect(UInt8(ascii: "N"), in: bytes) }
            var fields = try reader.fields(of: relation, keyOnly: false, in: bytes)
            if let old, reader.sawUnchangedToast { Self.resolve(&fields, from: old) }
            new = fields
        }
        try reader.end(in: bytes)
        return RowChange(
            kind: kind, relation: relation, bytes: bytes.copy(tuplesOffset..<bytes.byteCount), old: old, new: new)
    }

    /// Checks the tuples as strictly, and keeps nothing.
    func check(of relation: RelationDescription, in bytes: borrowing RawSpan) throws(DecodingError) {
        var reader = TupleReader(tag: tag, at: tuplesOffset)
        if oldImage != .none { try reader.skip(relation, in: bytes) }
        if kind != .delete {
            if oldImage != .none { try reader.expect(UInt8(ascii: "N"), in: bytes) }
            try reader.skip(relation, in: bytes)
        }
        try reader.end(in: bytes)
    }

    /// Roughly what `change` costs to hold.
    func byteCost(of relation: RelationDescription, in bytes: borrowing RawSpan) -> Int {
        let images = oldImage == .none || kind == .delete ? 1 : 2
        let fields = images * (32 + relation.columns.count * MemoryLayout<Field>.stride)
        return 32 + bytes.byteCount - tuplesOffset + fields
    }

    /// A TOASTed value that the update left alone is the one that the old row had, if the old row came with it.
    private static func resolve(_ new: inout [Field], from old: [Field]) {
        for index in new.indices where new[index].kind == .unchangedToast && index < old.count {
            switch old[index].kind {
            case .text, .binary: new[index] = old[index]
            case .null, .unchangedToast, .notSent: break
            }
        }
    }
}
