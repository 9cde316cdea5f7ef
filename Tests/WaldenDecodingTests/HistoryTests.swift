import Testing
import WaldenCore
import WaldenDecoding

/// Random histories of many transactions at once, sent as a server would send them, against what committed.
@Suite struct HistoryTests {
    private typealias Encoder = MessageEncoder

    /// One row: its number is its value.
    private struct Row: Hashable {
        let relation: UInt32
        let xid: UInt32
        let number: Int
    }

    private struct Transaction {
        let xid: UInt32
        var rows: [Row] = []
        var truncated: [Row] = []
        var messages: [Row] = []
        var subtransactions: [UInt32] = []
        var described: Set<UInt32> = []
        var chunks = 0

        mutating func abort(_ subtransaction: UInt32) {
            rows.removeAll { $0.xid == subtransaction }
            truncated.removeAll { $0.xid == subtransaction }
            messages.removeAll { $0.xid == subtransaction }
            // The server forgets what it described, and describes it again (PostgreSQL `pgoutput_stream_abort`).
            described = []
        }
    }

    /// Plays a server: keeps open transactions, and knows what each commit must give.
    private struct Server {
        var random: SplitMix64
        var decoder: StreamDecoder
        var lsn: UInt64 = 100
        /// What keepalives say: the end of the last record sent whole.
        var sent: UInt64 = 100
        var xid: UInt32 = 10
        var number = 0
        var streamed: [Transaction] = []
        var prepared: [Transaction] = []
        var describedToAll: Set<UInt32> = []
        var committed = 0

        let padding: String

        init(seed: UInt64, limits: StreamLimits, rowBytes: Int = 0) {
            padding = String(repeating: " ", count: rowBytes)
            random = SplitMix64(seed: seed)
            decoder = StreamDecoder(protocolVersion: 3, limits: limits)
        }

        mutating func next(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }

        mutating func newXid() -> UInt32 {
            xid += 1
            return xid
        }

        mutating func advance() -> (at: UInt64, end: UInt64) {
            sent = lsn
            lsn += 10
            return (lsn - 5, lsn)
        }

        @discardableResult
        mutating func send(_ message: [UInt8]) throws -> StreamEvent? {
            if next(0..<20) == 0 {
                let keepalive = Encoder.keepalive(sent)
                guard case .keepalive(let end, false) = try decoder.decode(keepalive.span.bytes) else {
                    Issue.record("no keepalive")
                    return nil
                }
                #expect(end <= LSN(lsn))
            }
            let frame = Encoder.frame(message)
            return try decoder.decode(frame.span.bytes)
        }

        mutating func change(_ transaction: inout Transaction, inChunk: Bool) throws {
            number += 1
            let relation = UInt32(next(1..<5))
            let xid = inChunk ? pickXid(&transaction) : transaction.xid
            let prefix = inChunk ? xid : nil
            let row = Row(relation: relation, xid: xid, number: number)
            switch next(0..<30) {
            case 0:
                try send(Encoder.truncate([relation], xid: prefix))
                transaction.truncated.append(row)
            case 1:
                try send(Encoder.message("m", Array(String(number).utf8), xid: prefix))
                transaction.messages.append(row)
            default:
                let isNew =
                    inChunk
                    ? transaction.described.insert(relation).inserted : describedToAll.insert(relation).inserted
                if isNew { try send(Encoder.relation(relation, "r", [.init(name: "v", isKey: true)], xid: prefix)) }
                try send(Encoder.insert(relation, [.text(String(number) + padding)], xid: prefix))
                transaction.rows.append(row)
            }
        }

        mutating func pickXid(_ transaction: inout Transaction) -> UInt32 {
            if next(0..<4) == 0 { transaction.subtransactions.append(newXid()) }
            guard next(0..<3) > 0, let subtransaction = transaction.subtransactions.last else { return transaction.xid }
            return subtransaction
        }

        mutating func chunk() throws {
            let index = streamed.isEmpty || next(0..<4) == 0 ? nil : next(0..<streamed.count)
            var transaction = index.map { streamed.remove(at: $0) } ?? Transaction(xid: newXid())
            try send(Encoder.streamStart(xid: transaction.xid, first: transaction.chunks == 0))
            transaction.chunks += 1
            for _ in 0..<next(0..<30) { try change(&transaction, inChunk: true) }
            try send(Encoder.streamStop())
            streamed.append(transaction)
        }

        mutating func abort() throws {
            guard !streamed.isEmpty else { return }
            let index = next(0..<streamed.count)
            var transaction = streamed.remove(at: index)
            if next(0..<4) == 0 {
                try send(Encoder.streamAbort(xid: transaction.xid, subtransaction: transaction.xid))
            } else if let gone = transaction.subtransactions.popLast() {
                try send(Encoder.streamAbort(xid: transaction.xid, subtransaction: gone))
                transaction.abort(gone)
                streamed.append(transaction)
            } else {
                streamed.append(transaction)
            }
        }

        mutating func finishStreamed() throws {
            guard !streamed.isEmpty else { return }
            let transaction = streamed.remove(at: next(0..<streamed.count))
            describedToAll.formUnion(transaction.described)
            let (at, end) = advance()
            if next(0..<3) == 0 {
                try send(Encoder.streamPrepare(xid: transaction.xid, gid: "g\(transaction.xid)", at: at, end: end))
                prepared.append(transaction)
            } else {
                check(try send(Encoder.streamCommit(xid: transaction.xid, at: at, end: end)), transaction, end)
            }
        }

        mutating func plain() throws {
            var transaction = Transaction(xid: newXid())
            let (at, end) = advance()
            let gid = next(0..<3) == 0 ? "g\(transaction.xid)" : nil
            if let gid {
                try send(Encoder.beginPrepare(xid: transaction.xid, gid: gid, at: at, end: end))
            } else {
                try send(Encoder.begin(xid: transaction.xid, final: at))
            }
            for _ in 0..<next(0..<30) { try change(&transaction, inChunk: false) }
            if let gid {
                try send(Encoder.prepare(xid: transaction.xid, gid: gid, at: at, end: end))
                prepared.append(transaction)
            } else {
                check(try send(Encoder.commit(at: at, end: end)), transaction, end)
            }
        }

        mutating func finishPrepared() throws {
            guard !prepared.isEmpty else { return }
            let transaction = prepared.remove(at: next(0..<prepared.count))
            let (at, end) = advance()
            let gid = "g\(transaction.xid)"
            if next(0..<3) == 0 {
                try send(Encoder.rollbackPrepared(xid: transaction.xid, gid: gid, prepareEnd: at, end: end))
            } else {
                check(
                    try send(Encoder.commitPrepared(xid: transaction.xid, gid: gid, at: at, end: end)), transaction, end
                )
            }
        }

        mutating func check(_ event: StreamEvent?, _ transaction: Transaction, _ end: UInt64) {
            committed += 1
            #expect(decoder.position == LSN(end))
            let truncated = Set(transaction.truncated.map { RelationID($0.relation) })
            guard case .transaction(let found) = event else {
                #expect(transaction.rows.isEmpty && truncated.isEmpty && transaction.messages.isEmpty)
                return
            }
            let whole = Set(found.wholeRelations)
            #expect(found.xid == transaction.xid && found.endLSN == LSN(end))
            #expect(whole.count == found.wholeRelations.count)
            #expect(whole.isSuperset(of: truncated))
            let isExact = decoder.counters.escalations == 0
            if isExact { #expect(whole == truncated) }
            // Exact where nothing was folded; and never is a row missing of a relation that is not whole.
            let expected = transaction.rows.filter { !whole.contains(RelationID($0.relation)) }
            #expect(
                found.changes.map { String(decoding: $0.bytes.suffix(from: 7), as: UTF8.self) }
                    == expected.map { String($0.number) + padding })
            #expect(found.changes.map(\.relation.id) == expected.map { RelationID($0.relation) })
            #expect(found.messages.map(\.content) == transaction.messages.map { Array(String($0.number).utf8) })
            #expect(found.changeCount >= transaction.rows.count)
            // A truncation folds rows of which some may abort later.
            if isExact, truncated.isEmpty { #expect(found.changeCount == transaction.rows.count) }
        }

        mutating func run(steps: Int) throws {
            for _ in 0..<steps {
                switch next(0..<10) {
                case 0..<4: try chunk()
                case 4: try abort()
                case 5..<7: try finishStreamed()
                case 7..<9: try plain()
                default: try finishPrepared()
                }
            }
        }
    }

    @Test(arguments: 1...25 as ClosedRange<UInt64>)
    func whatCommittedComesOutExactly(seed: UInt64) throws {
        var server = Server(seed: seed, limits: StreamLimits())
        try server.run(steps: 200)
        #expect(server.committed > 20)
        #expect(server.decoder.counters.escalations == 0)
    }

    @Test(arguments: 1...15 as ClosedRange<UInt64>)
    func nothingIsMissedWhenRelationsFold(seed: UInt64) throws {
        var server = Server(seed: seed, limits: StreamLimits(maxChangesPerRelation: 8))
        try server.run(steps: 200)
        #expect(server.decoder.counters.escalations > 0)
    }

    @Test(arguments: 1...15 as ClosedRange<UInt64>)
    func nothingIsMissedWhenMemoryIsShort(seed: UInt64) throws {
        var server = Server(seed: seed, limits: StreamLimits(maxBufferedBytes: 0), rowBytes: 500)
        try server.run(steps: 300)
        #expect(server.decoder.counters.escalations > 0)
    }

    /// Right messages in any order: refused where they cannot stand, and never a trap.
    @Test func anyOrderOfMessages() {
        var random = SplitMix64(seed: 21)
        let messages = [
            Encoder.begin(xid: 5, final: 100), Encoder.commit(at: 100, end: 110),
            Encoder.relation(1, "t", [.init(name: "v")]), Encoder.insert(1, [.text("x")]), Encoder.truncate([1]),
            Encoder.message("m", [1]), Encoder.streamStart(xid: 5, first: true), Encoder.streamStop(),
            Encoder.relation(1, "t", [.init(name: "v")], xid: 6), Encoder.insert(1, [.text("x")], xid: 6),
            Encoder.streamCommit(xid: 5, at: 100, end: 110), Encoder.streamAbort(xid: 5, subtransaction: 6),
            Encoder.beginPrepare(xid: 5, gid: "g", at: 90, end: 95), Encoder.prepare(xid: 5, gid: "g", at: 90, end: 95),
            Encoder.streamPrepare(xid: 5, gid: "g", at: 90, end: 95),
            Encoder.commitPrepared(xid: 5, gid: "g", at: 100, end: 110),
            Encoder.rollbackPrepared(xid: 5, gid: "g", prepareEnd: 95, end: 120),
        ].map { Encoder.frame($0) }
        for _ in 0..<2000 {
            var decoder = StreamDecoder(protocolVersion: 4, limits: StreamLimits(maxChangesPerRelation: 1))
            for _ in 0..<40 {
                let before = decoder
                let frame = messages[Int.random(in: messages.indices, using: &random)]
                do {
                    _ = try decoder.decode(frame.span.bytes)
                    #expect(decoder.position >= before.position)
                } catch {
                    decoder = before
                }
            }
        }
    }
}
