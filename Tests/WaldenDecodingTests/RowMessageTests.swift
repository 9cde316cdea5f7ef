import Testing
import WaldenCore

@testable import WaldenDecoding

/// Rows, and the frames around all messages.
@Suite struct RowMessageTests {
    private typealias Encoder = MessageEncoder
    private typealias Value = MessageEncoder.Value
    private typealias Refusal = WaldenDecoding.DecodingError

    private func relation(columns: Int, keys: Set<Int> = [0]) -> RelationDescription {
        RelationDescription(
            id: RelationID(1), namespace: "public", name: "t", replicaIdentity: .default,
            columns: (0..<columns).map {
                .init(name: "c\($0)", type: .text, typeModifier: -1, isKey: keys.contains($0))
            })
    }

    private func row(_ bytes: [UInt8], inChunk: Bool = false) throws -> RowMessage {
        guard
            case .row(let row) = try PgoutputMessage.decode(
                bytes.span.bytes, at: 0, version: .basic, inChunk: inChunk)
        else { throw Refusal.unknownMessage(tag: bytes[0]) }
        return row
    }

    private func change(_ bytes: [UInt8], _ relation: RelationDescription, inChunk: Bool = false) throws -> RowChange {
        let row = try row(bytes, inChunk: inChunk)
        try row.check(of: relation, in: bytes.span.bytes)
        return try row.change(of: relation, in: bytes.span.bytes)
    }

    /// What a field of a decoded row must be when `value` was sent.
    private func expect(
        _ fields: [Field]?, _ values: [Value], _ change: RowChange, keyOnly: Bool = false, old: [Value]? = nil
    ) {
        #expect(fields?.count == values.count)
        for (index, (field, value)) in zip(fields ?? [], values).enumerated() {
            let isKey = change.relation.columns[index].isKey
            switch value {
            case .null: #expect(field.kind == (keyOnly && !isKey ? .notSent : .null))
            case .text(let bytes):
                #expect(field.kind == .text && Array(change.bytes[field.range]) == bytes)
            case .binary(let bytes):
                #expect(field.kind == .binary && Array(change.bytes[field.range]) == bytes)
            case .unchangedToast:
                switch old?[index] {
                case .text(let bytes): #expect(field.kind == .text && Array(change.bytes[field.range]) == bytes)
                case .binary(let bytes): #expect(field.kind == .binary && Array(change.bytes[field.range]) == bytes)
                default: #expect(field.kind == .unchangedToast)
                }
            }
        }
    }

    private func randomValues(_ count: Int, _ random: inout SplitMix64) -> [Value] {
        (0..<count).map { _ in
            let bytes = (0..<Int.random(in: 0...9, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random)
            }
            return switch UInt8.random(in: 0..<4, using: &random) {
            case 0: .null
            case 1: .unchangedToast
            case 2: .text(bytes)
            default: .binary(bytes)
            }
        }
    }

    @Test func randomRowsComeBack() throws {
        var random = SplitMix64(seed: 5)
        for _ in 0..<1500 {
            let count = Int.random(in: 0...9, using: &random)
            let relation = relation(columns: count, keys: [0, Int.random(in: 0...9, using: &random)])
            let (old, new) = (randomValues(count, &random), randomValues(count, &random))
            let xid: UInt32? = Bool.random(using: &random) ? 77 : nil
            let chunk = xid != nil

            let insert = try change(Encoder.insert(1, new, xid: xid), relation, inChunk: chunk)
            #expect(insert.kind == .insert && insert.old == nil && insert.relation === relation)
            expect(insert.new, new, insert)

            let update = try change(Encoder.update(1, new: new, xid: xid), relation, inChunk: chunk)
            #expect(update.kind == .update && update.old == nil)
            expect(update.new, new, update)

            let full = try change(Encoder.update(1, old: old, new: new, xid: xid), relation, inChunk: chunk)
            expect(full.old, old, full)
            expect(full.new, new, full, old: old)

            let keyed = try change(Encoder.update(1, key: old, new: new, xid: xid), relation, inChunk: chunk)
            expect(keyed.old, old, keyed, keyOnly: true)
            expect(keyed.new, new, keyed, old: old)

            let delete = try change(Encoder.delete(1, key: old, xid: xid), relation, inChunk: chunk)
            #expect(delete.kind == .delete && delete.new == nil)
            expect(delete.old, old, delete, keyOnly: true)
            expect(try change(Encoder.delete(1, old: old, xid: xid), relation, inChunk: chunk).old, old, full)
        }
    }

    @Test func headers() throws {
        let inserted = try row(Encoder.insert(.max, [.null], xid: 9), inChunk: true)
        #expect(inserted.kind == .insert && inserted.relation == RelationID(.max) && inserted.subtransaction == 9)
        #expect(inserted.oldImage == .none)
        #expect(try row(Encoder.update(1, new: [])).oldImage == .none)
        #expect(try row(Encoder.update(1, key: [], new: [])).oldImage == .key)
        #expect(try row(Encoder.delete(1, old: [])).oldImage == .full)
        #expect(try row(Encoder.delete(1, old: [])).subtransaction == nil)
    }

    @Test func everyStrictPrefixAndEveryLongerRowIsRefused() throws {
        let values: [Value] = [.text("one"), .null, .binary([1, 2]), .unchangedToast, .text("")]
        let relation = relation(columns: values.count)
        for xid in [nil, 9 as UInt32] {
            let samples = [
                Encoder.insert(1, values, xid: xid), Encoder.update(1, new: values, xid: xid),
                Encoder.update(1, key: values, new: values, xid: xid),
                Encoder.update(1, old: values, new: values, xid: xid), Encoder.delete(1, key: values, xid: xid),
                Encoder.delete(1, old: values, xid: xid),
            ]
            for bytes in samples {
                _ = try change(bytes, relation, inChunk: xid != nil)
                for cut in bytes.indices.map({ Array(bytes.prefix($0)) }) + [bytes + [0], bytes + bytes] {
                    #expect(throws: Refusal.self) { try change(cut, relation, inChunk: xid != nil) }
                    guard let row = try? row(cut, inChunk: xid != nil) else { continue }
                    #expect(throws: Refusal.self) { try row.check(of: relation, in: cut.span.bytes) }
                    #expect(throws: Refusal.self) { try row.change(of: relation, in: cut.span.bytes) }
                }
            }
        }
    }

    @Test(arguments: [
        ("I", "K"), ("I", "O"), ("I", "X"), ("D", "N"), ("D", "X"), ("U", "X"),
    ])
    func imagesThatDoNotBelong(tag: String, image: String) {
        let bytes = Encoder.bytes(tag) + Encoder.number(UInt32(1)) + Encoder.bytes(image) + Encoder.tuple([])
        #expect(throws: Refusal.unknownVariant(tag: bytes[0], byte: Array(image.utf8)[0])) { try row(bytes) }
    }

    @Test func lengthsThatLie() {
        let head = Encoder.bytes("I") + Encoder.number(UInt32(1)) + Encoder.bytes("N") + Encoder.number(Int16(1))
        for (length, error) in [
            (Int32.min, ByteError.lengthOutOfRange), (-1, .lengthOutOfRange), (2, .truncated), (.max, .truncated),
        ] {
            let bytes = head + Encoder.bytes("t") + Encoder.number(length) + [0x61]
            #expect(throws: Refusal.malformed(tag: UInt8(ascii: "I"), error)) {
                try change(bytes, relation(columns: 1))
            }
        }
        for count in [Int16.min, -1, 0, 2, .max] {
            let bytes = Encoder.bytes("I") + Encoder.number(UInt32(1)) + Encoder.bytes("N") + Encoder.number(count)
            #expect(throws: Refusal.columnCount(RelationID(1), expected: 1, found: Int(count))) {
                try change(bytes + Encoder.bytes("n"), relation(columns: 1))
            }
        }
    }

    /// The estimate covers what is held, so that a bound on it bounds memory.
    @Test func theCostCoversTheBytes() throws {
        let values: [Value] = [.text("one"), .text(String(repeating: "x", count: 500))]
        let relation = relation(columns: 2)
        for bytes in [Encoder.insert(1, values), Encoder.update(1, old: values, new: values)] {
            let change = try change(bytes, relation)
            let held = change.bytes.count + ((change.old?.count ?? 0) + 2) * MemoryLayout<Field>.stride
            let cost = try row(bytes).byteCost(of: relation, in: bytes.span.bytes)
            #expect(cost >= held + 64 && cost < held + 200)
        }
    }
}

@Suite struct ReplicationFrameTests {
    private typealias Refusal = WaldenDecoding.DecodingError

    @Test func data() throws {
        let bytes = MessageEncoder.frame([1, 2, 3], at: 0x1_0000_0002, clock: -7)
        #expect(
            try ReplicationFrame.decode(bytes.span.bytes)
                == .data(.init(start: LSN(0x1_0000_0002), end: LSN(0x1_0000_0002), clock: -7)))
        #expect(Array(bytes[ReplicationFrame.headerBytes...]) == [1, 2, 3])
    }

    @Test func keepalive() throws {
        for reply in [false, true] {
            let bytes = MessageEncoder.keepalive(.max, clock: 9, replyRequested: reply)
            #expect(
                try ReplicationFrame.decode(bytes.span.bytes)
                    == .keepalive(end: LSN(.max), clock: 9, replyRequested: reply))
        }
    }

    @Test func cutAndLongFramesAreRefused() {
        let keepalive = MessageEncoder.keepalive(5)
        for bytes in keepalive.indices.map({ Array(keepalive.prefix($0)) }) + [keepalive + [0]] {
            #expect(throws: Refusal.self) { try ReplicationFrame.decode(bytes.span.bytes) }
        }
        let header = MessageEncoder.frame([])
        for length in 0..<header.count {
            let cut = Array(header.prefix(length))
            #expect(throws: Refusal.self) { try ReplicationFrame.decode(cut.span.bytes) }
        }
        // A header without a message is whole as a frame, and refused as a message.
        var decoder = StreamDecoder(protocolVersion: 1)
        #expect(throws: Refusal.malformed(tag: 0, .truncated)) { try decoder.decode(header.span.bytes) }
    }

    @Test func errorsSayWhatAndWhere() {
        let errors: [(Refusal, String)] = [
            (.malformed(tag: 0x49, .truncated), "malformed message 'I': truncated"),
            (.trailingBytes(tag: 0x49, count: 2), "message 'I' is 2 bytes too long"),
            (.unknownFrame(0), "unknown frame 0"),
            (.unknownMessage(tag: 0x7F), "unknown message 127"),
            (.unknownVariant(tag: 0x55, byte: 0x58), "unknown 'X' in message 'U'"),
            (.misplaced(tag: 0x21), "message '!' out of place"),
            (.boundaryMismatch(announced: LSN(1), found: LSN(2)), "transaction announced to end at 0/1, not 0/2"),
            (.outOfOrder(position: LSN(2), found: LSN(1)), "transaction at 0/1 after position 0/2"),
            (.unknownRelation(RelationID(7)), "row of undescribed relation 7"),
            (.columnCount(RelationID(7), expected: 1, found: 2), "row of relation 7: 2 values, not 1"),
            (.unknownTransaction(xid: 5), "streamed transaction 5 has no beginning"),
            (.repeatedTransaction(xid: 5), "transaction 5 began twice"),
            (.unknownPreparedTransaction(xid: 5), "prepared transaction 5 has no beginning"),
            (.limitExceeded(.frameBytes), "limit exceeded: frameBytes"),
        ]
        for (error, text) in errors { #expect("\(error)" == text) }
    }
}
