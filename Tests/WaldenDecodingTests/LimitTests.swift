import Testing
import WaldenCore
import WaldenDecoding

/// What a stream may make the decoder hold.
@Suite struct LimitTests {
    private typealias Encoder = MessageEncoder

    @Test func tooManyChangesOfARelationBecomeTheWhole() throws {
        let script = """
            begin 5 @100
            relation 1 t id*
            relation 2 u id*
            insert 1 1
            insert 1 2
            insert 2 9
            insert 1 3
            insert 1 4
            commit @100 120
            > transaction 5 @100..120 of 5
            > insert public.u ('9')
            > whole public.t
            begin 6 @130
            insert 1 5
            commit @130 140
            > transaction 6 @130..140 of 1
            > insert public.t ('5')
            """
        var stream = StreamScript(limits: StreamLimits(maxChangesPerRelation: 2))
        #expect(try stream.run(script) == script)
        #expect(stream.decoder.counters.escalations == 1)
        #expect(stream.decoder.counters.rowChanges == 6)
        #expect(stream.decoder.counters.foldedRowChanges == 2)
    }

    @Test func withoutRoomForAnyRowEveryRelationIsWhole() throws {
        let script = """
            begin 5 @100
            relation 1 t id*
            insert 1 1
            commit @100 120
            > transaction 5 @100..120 of 1
            > whole public.t
            """
        var stream = StreamScript(limits: StreamLimits(maxChangesPerRelation: 0))
        #expect(try stream.run(script) == script)
    }

    /// Rows of a whole relation are read past, and still have to be right.
    @Test(arguments: [
        ("insert 1 1 2", "row of relation 1: 2 values, not 1"),
        ("insert 2 1", "row of undescribed relation 2"),
        (
            "frame 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 49 0 0 0 1 4e 0 1 74 0 0 0 9 31",
            "malformed message 'I': truncated"
        ),
        (
            "frame 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 49 0 0 0 1 4e 0 1 7a",
            "unknown 'z' in message 'I'"
        ),
        (
            "frame 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 55 0 0 0 1 4b 0 1 6e 4b 0 1 6e",
            "unknown 'K' in message 'U'"
        ),
    ])
    func wholeRelationsAreStillChecked(line: String, error: String) throws {
        var stream = StreamScript(limits: StreamLimits(maxChangesPerRelation: 0))
        let script = "begin 5 @100\nrelation 1 t id*\ninsert 1 1\n\(line)\n> error \(error)"
        #expect(try stream.run(script) == script)
    }

    /// Over-kill on the safe side: the relation became whole by rows of which some abort.
    @Test func aWholeRelationStaysSoWhenRowsAbort() throws {
        let script = """
            start 5 first
            5: relation 1 t id*
            6: insert 1 1
            6: insert 1 2
            6: insert 1 3
            stop
            abort 5 6
            streamcommit 5 @120 130
            > transaction 5 @120..130 of 3
            > whole public.t
            """
        var stream = StreamScript(limits: StreamLimits(maxChangesPerRelation: 2))
        #expect(try stream.run(script) == script)
    }

    /// But rows that aborted before do not count.
    @Test func abortedRowsMakeRoom() throws {
        var lines = ["start 5 first", "5: relation 1 t id*"]
        for subtransaction in 10..<20 {
            lines += [
                "\(subtransaction): insert 1 1", "\(subtransaction): insert 1 2", "stop", "abort 5 \(subtransaction)",
                "start 5", "5: relation 1 t id*",
            ]
        }
        lines += ["5: insert 1 3", "stop", "streamcommit 5 @120 130"]
        lines += ["> transaction 5 @120..130 of 1", "> insert public.t ('3')"]
        var stream = StreamScript(limits: StreamLimits(maxChangesPerRelation: 2))
        #expect(try stream.run(lines.joined(separator: "\n")) == lines.joined(separator: "\n"))
        #expect(stream.decoder.counters.escalations == 0)
    }

    // MARK: Bytes

    private struct Feed {
        var decoder: StreamDecoder

        init(maxBufferedBytes: Int = 1 << 16, maxCatalogBytes: Int = 1 << 20) {
            decoder = StreamDecoder(
                protocolVersion: 3,
                limits: StreamLimits(maxBufferedBytes: maxBufferedBytes, maxCatalogBytes: maxCatalogBytes))
        }

        @discardableResult
        mutating func send(_ message: [UInt8]) throws -> CommittedTransaction? {
            let frame = Encoder.frame(message)
            guard case .transaction(let transaction) = try decoder.decode(frame.span.bytes) else { return nil }
            return transaction
        }

        mutating func describe(_ ids: UInt32..., xid: UInt32? = nil) throws {
            for id in ids {
                try send(Encoder.relation(id, "t\(id)", [.init(name: "id", isKey: true), .init(name: "v")], xid: xid))
            }
        }
    }

    private func row(_ size: Int) -> [Encoder.Value] { [.text("1"), .text([UInt8](repeating: 0x61, count: size))] }

    @Test func theLargestRelationsGiveWay() throws {
        var feed = Feed()
        try feed.send(Encoder.begin(xid: 5, final: 100))
        try feed.describe(1, 2, 3)
        try feed.send(Encoder.insert(1, row(1000)))
        for _ in 0..<30 { try feed.send(Encoder.insert(2, row(2000))) }
        try feed.send(Encoder.insert(3, row(6000)))
        let transaction = try #require(try feed.send(Encoder.commit(at: 100, end: 110)))
        #expect(transaction.wholeRelations == [RelationID(2)])
        #expect(transaction.changes.map(\.relation.id) == [RelationID(1), RelationID(3)])
        #expect(transaction.changeCount == 32)
        #expect(feed.decoder.counters.escalations == 1)
    }

    @Test func aRowLargerThanTheBoundIsNotHeld() throws {
        var feed = Feed()
        try feed.send(Encoder.begin(xid: 5, final: 100))
        try feed.describe(1, 2)
        try feed.send(Encoder.insert(1, row(1)))
        try feed.send(Encoder.insert(2, row(70_000)))
        try feed.send(Encoder.insert(1, row(2)))
        let transaction = try #require(try feed.send(Encoder.commit(at: 100, end: 110)))
        #expect(transaction.wholeRelations == [RelationID(2)])
        #expect(transaction.changes.count == 2)
    }

    /// The bound is over all: what is shelved gives way to what is under way.
    @Test func otherTransactionsGiveWay() throws {
        var feed = Feed()
        try feed.send(Encoder.streamStart(xid: 5, first: true))
        try feed.describe(1, xid: 5)
        for _ in 0..<20 { try feed.send(Encoder.insert(1, row(1500), xid: 5)) }
        try feed.send(Encoder.streamStop())
        try feed.send(Encoder.beginPrepare(xid: 6, gid: "g", at: 50, end: 60))
        try feed.describe(2)
        for _ in 0..<10 { try feed.send(Encoder.insert(2, row(1500))) }
        try feed.send(Encoder.prepare(xid: 6, gid: "g", at: 50, end: 60))
        try feed.send(Encoder.begin(xid: 7, final: 100))
        try feed.describe(3)
        for _ in 0..<14 { try feed.send(Encoder.insert(3, row(1500))) }

        let plain = try #require(try feed.send(Encoder.commit(at: 100, end: 110)))
        #expect(plain.changes.count == 14)
        let streamed = try #require(try feed.send(Encoder.streamCommit(xid: 5, at: 120, end: 130)))
        #expect(streamed.wholeRelations == [RelationID(1)])
        #expect(streamed.changeCount == 20)
        let prepared = try #require(try feed.send(Encoder.commitPrepared(xid: 6, gid: "g", at: 140, end: 150)))
        #expect(prepared.changes.count == 10)
        #expect(feed.decoder.counters.escalations == 1)
    }

    @Test func preparedTransactionsGiveWay() throws {
        var feed = Feed()
        try feed.send(Encoder.beginPrepare(xid: 6, gid: "g", at: 50, end: 60))
        try feed.describe(2)
        for _ in 0..<30 { try feed.send(Encoder.insert(2, row(1500))) }
        try feed.send(Encoder.prepare(xid: 6, gid: "g", at: 50, end: 60))
        try feed.send(Encoder.begin(xid: 7, final: 100))
        for _ in 0..<20 { try feed.send(Encoder.insert(2, row(1500))) }
        #expect(try #require(try feed.send(Encoder.commit(at: 100, end: 110))).changes.count == 20)
        let prepared = try #require(try feed.send(Encoder.commitPrepared(xid: 6, gid: "g", at: 140, end: 150)))
        #expect(prepared.changes.isEmpty)
        #expect(prepared.wholeRelations == [RelationID(2)])
    }

    /// Finished transactions give their room back; the same amount passes any number of times.
    @Test func finishedTransactionsMakeRoom() throws {
        var feed = Feed()
        try feed.describe(1)
        for number in 1...20 {
            let (xid, lsn) = (UInt32(number), UInt64(number) * 100)
            try feed.send(Encoder.streamStart(xid: xid, first: true))
            try feed.describe(1, xid: xid)
            for _ in 0..<10 { try feed.send(Encoder.insert(1, row(2000), xid: xid)) }
            for _ in 0..<10 { try feed.send(Encoder.insert(1, row(2000), xid: xid + 1000)) }
            try feed.send(Encoder.streamStop())
            try feed.send(Encoder.streamAbort(xid: xid, subtransaction: xid + 1000))
            switch number % 4 {
            case 0: try feed.send(Encoder.streamAbort(xid: xid, subtransaction: xid))
            case 1: try feed.send(Encoder.streamCommit(xid: xid, at: lsn, end: lsn + 50))
            case 2:
                try feed.send(Encoder.streamPrepare(xid: xid, gid: "g", at: lsn, end: lsn + 50))
                try feed.send(Encoder.commitPrepared(xid: xid, gid: "g", at: lsn + 60, end: lsn + 70))
            default:
                try feed.send(Encoder.streamPrepare(xid: xid, gid: "g", at: lsn, end: lsn + 50))
                try feed.send(Encoder.rollbackPrepared(xid: xid, gid: "g", prepareEnd: lsn, end: lsn + 70))
            }
        }
        #expect(feed.decoder.counters.escalations == 0)
    }

    @Test func messagesThatDoNotFitEndTheStream() throws {
        var feed = Feed()
        try feed.send(Encoder.begin(xid: 5, final: 100))
        for _ in 0..<6 { try feed.send(Encoder.message("walden", [UInt8](repeating: 0, count: 10_000))) }
        #expect(throws: DecodingError.limitExceeded(.bufferedBytes)) {
            try feed.send(Encoder.message("walden", [UInt8](repeating: 0, count: 10_000)))
        }
    }

    @Test func truncationsThatDoNotFitEndTheStream() throws {
        var feed = Feed()
        try feed.send(Encoder.begin(xid: 5, final: 100))
        #expect(throws: DecodingError.limitExceeded(.bufferedBytes)) {
            try feed.send(Encoder.truncate(Array(1...10_000)))
        }
        var streamed = Feed()
        try streamed.send(Encoder.streamStart(xid: 5, first: true))
        #expect(throws: DecodingError.limitExceeded(.bufferedBytes)) {
            try streamed.send(Encoder.truncate(Array(1...10_000), xid: 6))
        }
    }

    @Test func repeatedTruncationsCostNothing() throws {
        var feed = Feed()
        try feed.send(Encoder.streamStart(xid: 5, first: true))
        for _ in 0..<10_000 { try feed.send(Encoder.truncate([1, 2], xid: 6)) }
        try feed.send(Encoder.streamStop())
        let transaction = try #require(try feed.send(Encoder.streamCommit(xid: 5, at: 100, end: 110)))
        #expect(Set(transaction.wholeRelations) == [RelationID(1), RelationID(2)])
    }

    /// Even a whole relation takes a little; more relations than fit end the stream.
    @Test func relationsThatDoNotFitEndTheStream() throws {
        var feed = Feed(maxCatalogBytes: 1 << 24)
        try feed.send(Encoder.begin(xid: 5, final: 100))
        #expect(throws: DecodingError.limitExceeded(.bufferedBytes)) {
            for id in UInt32(1)...10_000 {
                try feed.describe(id)
                try feed.send(Encoder.insert(id, row(10)))
            }
        }
        #expect(feed.decoder.counters.escalations > 100)
    }

    @Test func descriptionsThatDoNotFitEndTheStream() throws {
        var feed = Feed(maxCatalogBytes: 1 << 16)
        #expect(throws: DecodingError.limitExceeded(.catalogBytes)) {
            for id in UInt32(1)... { try feed.describe(id) }
        }
        // The same relation again and again fits.
        var again = Feed(maxCatalogBytes: 1 << 16)
        for number in 0..<5000 {
            try again.send(Encoder.relation(1, "t", [.init(name: "c\(number % 7)")]))
        }
    }

    @Test func descriptionsOfEndedTransactionsMakeRoom() throws {
        var feed = Feed(maxCatalogBytes: 1 << 16)
        for number in UInt32(1)...2000 {
            try feed.send(Encoder.streamStart(xid: number, first: true))
            try feed.describe(1, 2, 3, xid: number)
            try feed.send(Encoder.streamStop())
            if number.isMultiple(of: 2) {
                try feed.send(Encoder.streamAbort(xid: number, subtransaction: number))
            } else {
                let lsn = UInt64(number) * 10
                try feed.send(Encoder.streamCommit(xid: number, at: lsn, end: lsn + 1))
            }
        }
    }

    @Test func limitsHaveAFloor() {
        let limits = StreamLimits(
            maxChangesPerRelation: -1, maxBufferedBytes: 0, maxCatalogBytes: -5, maxStreamedTransactions: 0,
            maxPreparedTransactions: .min)
        #expect(
            limits
                == StreamLimits(
                    maxChangesPerRelation: 0, maxBufferedBytes: 1 << 16, maxCatalogBytes: 1 << 16,
                    maxStreamedTransactions: 1, maxPreparedTransactions: 1))
        #expect(StreamLimits().maxChangesPerRelation == 4096)
        #expect(StreamLimits().maxBufferedBytes == 64 << 20)
    }
}
