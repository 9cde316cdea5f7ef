import Testing
import WaldenCore

@testable import WaldenDecoding

/// The syntax of single messages: read back what the encoder wrote, refuse what is cut, long or wrong.
@Suite struct MessageTests {
    private typealias Encoder = MessageEncoder
    private typealias Refusal = WaldenDecoding.DecodingError

    private func decode(
        _ bytes: [UInt8], version: PgoutputVersion = .parallelStreaming, inChunk: Bool = false
    ) throws -> PgoutputMessage {
        try PgoutputMessage.decode(bytes.span.bytes, at: 0, version: version, inChunk: inChunk)
    }

    // MARK: Round trips

    @Test func begin() throws {
        guard case .begin(let begin) = try decode(Encoder.begin(xid: .max, final: .max, time: .min)) else {
            Issue.record("not a Begin")
            return
        }
        #expect(begin.xid == .max && begin.finalLSN == LSN(.max) && begin.commitTime == .min)
    }

    @Test func commit() throws {
        guard case .commit(let commit) = try decode(Encoder.commit(at: 1, end: 1 << 40, time: 99)) else {
            Issue.record("not a Commit")
            return
        }
        #expect(commit.commitLSN == LSN(1) && commit.endLSN == LSN(1 << 40) && commit.commitTime == 99)
    }

    @Test func streamStart() throws {
        for first in [false, true] {
            guard case .streamStart(let start) = try decode(Encoder.streamStart(xid: 7, first: first)) else {
                Issue.record("not a Stream Start")
                return
            }
            #expect(start.xid == 7 && start.isFirstChunk == first)
        }
    }

    @Test func streamCommit() throws {
        let bytes = Encoder.streamCommit(xid: 7, at: 100, end: 110, time: -1)
        guard case .streamCommit(let commit, 7) = try decode(bytes) else {
            Issue.record("not a Stream Commit")
            return
        }
        #expect(commit.commitLSN == LSN(100) && commit.endLSN == LSN(110) && commit.commitTime == -1)
    }

    @Test func streamAbort() throws {
        for position in [nil, 100 as UInt64] {
            let bytes = Encoder.streamAbort(xid: 7, subtransaction: 8, at: position)
            guard case .streamAbort(let abort) = try decode(bytes) else {
                Issue.record("not a Stream Abort")
                return
            }
            #expect(abort.xid == 7 && abort.subtransaction == 8)
        }
    }

    @Test func prepares() throws {
        let id = PreparedID(xid: 7, gid: "näme")
        let messages = [
            try decode(Encoder.beginPrepare(xid: 7, gid: "näme", at: 100, end: 110)),
            try decode(Encoder.prepare(xid: 7, gid: "näme", at: 100, end: 110)),
            try decode(Encoder.streamPrepare(xid: 7, gid: "näme", at: 100, end: 110)),
        ]
        for (index, message) in messages.enumerated() {
            switch (index, message) {
            case (0, .beginPrepare(let prepare)), (1, .prepare(let prepare)), (2, .streamPrepare(let prepare)):
                #expect(prepare.id == id && prepare.prepareLSN == LSN(100) && prepare.endLSN == LSN(110))
            default: Issue.record("message \(index) is another")
            }
        }
    }

    @Test func endsOfPreparedTransactions() throws {
        let id = PreparedID(xid: 7, gid: "")
        guard
            case .commitPrepared(let commit) = try decode(
                Encoder.commitPrepared(xid: 7, gid: "", at: 100, end: 110, time: 5)),
            case .rollbackPrepared(let rollback) = try decode(
                Encoder.rollbackPrepared(xid: 7, gid: "", prepareEnd: 90, end: 110))
        else {
            Issue.record("others")
            return
        }
        #expect(commit.id == id && commit.commit.commitLSN == LSN(100) && commit.commit.endLSN == LSN(110))
        #expect(commit.commit.commitTime == 5)
        #expect(rollback.id == id && rollback.prepareEndLSN == LSN(90) && rollback.rollbackEndLSN == LSN(110))
    }

    @Test(arguments: [nil, 9 as UInt32])
    func relation(xid: UInt32?) throws {
        let columns: [Encoder.Column] = [
            .init(name: "id", isKey: true, type: 23), .init(name: "nämë", type: 1700, modifier: 655_366),
            .init(name: "", type: .max, modifier: .min),
        ]
        for (letter, identity) in [("d", ReplicaIdentity.default), ("f", .full), ("n", .nothing), ("i", .index)] {
            let bytes = Encoder.relation(16384, "t", columns, namespace: "", identity: letter, xid: xid)
            guard case .relation(let relation, xid) = try decode(bytes, inChunk: xid != nil) else {
                Issue.record("not a Relation")
                return
            }
            #expect(relation.id == RelationID(16384) && relation.namespace == "" && relation.name == "t")
            #expect(relation.replicaIdentity == identity)
            #expect(
                relation.columns == [
                    .init(name: "id", type: .int4, typeModifier: -1, isKey: true),
                    .init(name: "nämë", type: .numeric, typeModifier: 655_366, isKey: false),
                    .init(name: "", type: TypeID(.max), typeModifier: .min, isKey: false),
                ])
        }
    }

    @Test func relationWithoutColumns() throws {
        guard case .relation(let relation, nil) = try decode(Encoder.relation(1, "t", [])) else {
            Issue.record("not a Relation")
            return
        }
        #expect(relation.columns.isEmpty)
    }

    @Test(arguments: [nil, 9 as UInt32])
    func truncate(xid: UInt32?) throws {
        for ids in [[], [1], [1, .max, 3]] as [[UInt32]] {
            let bytes = Encoder.truncate(ids, options: 3, xid: xid)
            guard case .truncate(let truncate) = try decode(bytes, inChunk: xid != nil) else {
                Issue.record("not a Truncate")
                return
            }
            #expect(truncate.subtransaction == xid)
            let found = try (0..<truncate.relationCount).map { try truncate.relation($0, in: bytes.span.bytes) }
            #expect(found == ids.map { RelationID($0) })
        }
    }

    @Test(arguments: [nil, 9 as UInt32])
    func message(xid: UInt32?) throws {
        for transactional in [false, true] {
            let bytes = Encoder.message("pre", [0, 1, 255], transactional: transactional, xid: xid)
            guard case .message(let message) = try decode(bytes, inChunk: xid != nil) else {
                Issue.record("not a Message")
                return
            }
            #expect(message.subtransaction == xid && message.isTransactional == transactional)
            #expect(Array(bytes[message.prefix]) == Array("pre".utf8))
            #expect(Array(bytes[message.content]) == [0, 1, 255])
        }
    }

    @Test(arguments: [nil, 9 as UInt32])
    func origin(xid: UInt32?) throws {
        guard case .origin = try decode(Encoder.origin("elsewhere", at: 5)),
            case .type(subtransaction: xid) = try decode(Encoder.type(5, "mood", xid: xid), inChunk: xid != nil),
            case .streamStop = try decode(Encoder.streamStop())
        else {
            Issue.record("others")
            return
        }
    }

    // MARK: Refusals

    private static let samples: [(bytes: [UInt8], inChunk: Bool)] = {
        let columns: [Encoder.Column] = [.init(name: "id", isKey: true), .init(name: "v")]
        let plain: [[UInt8]] = [
            Encoder.begin(xid: 5, final: 100), Encoder.commit(at: 100, end: 110), Encoder.origin("o"),
            Encoder.streamStart(xid: 5, first: true), Encoder.streamStop(),
            Encoder.streamCommit(xid: 5, at: 1, end: 2), Encoder.streamAbort(xid: 5, subtransaction: 6),
            Encoder.beginPrepare(xid: 5, gid: "g", at: 1, end: 2), Encoder.prepare(xid: 5, gid: "g", at: 1, end: 2),
            Encoder.streamPrepare(xid: 5, gid: "g", at: 1, end: 2),
            Encoder.commitPrepared(xid: 5, gid: "g", at: 1, end: 2),
            Encoder.rollbackPrepared(xid: 5, gid: "g", prepareEnd: 1, end: 2),
        ]
        func contents(_ xid: UInt32?) -> [[UInt8]] {
            [
                Encoder.relation(1, "t", columns, xid: xid), Encoder.type(5, "mood", xid: xid),
                Encoder.truncate([1, 2], xid: xid), Encoder.message("walden", [1, 2, 3], xid: xid),
            ]
        }
        return plain.map { ($0, false) } + contents(nil).map { ($0, false) } + contents(9).map { ($0, true) }
    }()

    @Test func everyStrictPrefixIsRefused() throws {
        for (bytes, inChunk) in Self.samples {
            _ = try decode(bytes, inChunk: inChunk)
            for length in bytes.indices {
                #expect(throws: Refusal.self, "\(Rendering.hex(bytes.prefix(length)))") {
                    _ = try decode(Array(bytes.prefix(length)), inChunk: inChunk)
                }
            }
        }
    }

    @Test func everyLongerMessageIsRefused() {
        for (bytes, inChunk) in Self.samples {
            for version in [PgoutputVersion.twoPhase, .parallelStreaming] {
                let longer = bytes + [0]
                #expect(throws: Refusal.self) { _ = try decode(longer, version: version, inChunk: inChunk) }
            }
        }
    }

    @Test func tagsThatNobodyKnows() {
        let known = Set("BCORYTMSEcAbPpKrIUD".utf8)
        for tag in UInt8.min...UInt8.max where !known.contains(tag) {
            #expect(throws: Refusal.unknownMessage(tag: tag)) { try decode([tag] + [UInt8](repeating: 0, count: 64)) }
        }
    }

    /// Counts that promise more than there is, or less than nothing, are refused before memory is taken.
    @Test func countsAreCheckedFirst() {
        let relation = Encoder.bytes("R") + Encoder.number(UInt32(1)) + [0, 0] + Encoder.bytes("d")
        for count in [Int16.min, -1, 1, .max] {
            #expect(throws: Refusal.self) { try decode(relation + Encoder.number(count)) }
        }
        for count in [Int32.min, -1, 1, .max] {
            #expect(throws: Refusal.self) { try decode(Encoder.bytes("T") + Encoder.number(count) + [0]) }
            #expect(throws: Refusal.self) {
                try decode(Encoder.bytes("M") + [1] + Encoder.number(UInt64(0)) + [0] + Encoder.number(count))
            }
        }
    }

    @Test func namesMustBeText() {
        let bytes = Encoder.bytes("R") + Encoder.number(UInt32(1)) + [0xFF, 0, 0] + Encoder.bytes("d") + [0, 0]
        #expect(throws: Refusal.malformed(tag: UInt8(ascii: "R"), .invalidText)) { try decode(bytes) }
    }

    @Test func replicaIdentityMustBeKnown() {
        let bytes = Encoder.relation(1, "t", [], identity: "x")
        #expect(throws: Refusal.unknownVariant(tag: UInt8(ascii: "R"), byte: UInt8(ascii: "x"))) { try decode(bytes) }
    }

    @Test func randomBytesNeverTrap() {
        var random = SplitMix64(seed: 11)
        let tags = Array("BCORYTMSEcAbPpKrIUD".utf8)
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 1...80, using: &random)).map { _ in
                // Small numbers make counts and lengths that nearly fit.
                UInt8.random(in: 0...(Bool.random(using: &random) ? 3 : 255), using: &random)
            }
            bytes[0] = tags[Int.random(in: tags.indices, using: &random)]
            let inChunk = Bool.random(using: &random)
            guard let message = try? decode(bytes, inChunk: inChunk) else { continue }
            guard case .row(let row) = message else { continue }
            let columns = (0..<Int.random(in: 0...4, using: &random)).map {
                RelationDescription.Column(name: "c\($0)", type: .text, typeModifier: -1, isKey: $0 == 0)
            }
            let relation = RelationDescription(
                id: row.relation, namespace: "", name: "", replicaIdentity: .default, columns: columns)
            let change = try? row.change(of: relation, in: bytes.span.bytes)
            let isRight = (try? row.check(of: relation, in: bytes.span.bytes)) != nil
            #expect((change != nil) == isRight)
        }
    }
}
