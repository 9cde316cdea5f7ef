import Testing

@testable import WaldenCore

@Suite struct PositionTests {
    @Test(arguments: [
        ("0/0", 0), ("16/B374D848", 0x16_B374_D848), ("FFFFFFFF/FFFFFFFF", UInt64.max), ("0/1", 1),
    ])
    func lsnReadsAndPrintsAsPostgreSQL(text: String, value: UInt64) throws {
        let lsn = try #require(LSN(text))
        #expect(lsn.rawValue == value)
        #expect(lsn.description == text)
    }

    @Test(arguments: ["", "/", "1", "1/", "/1", "1/2/3", "G/0", "123456789/0", "0/123456789", "-1/0", " 0/0", "+1/0"])
    func otherTextsAreNoPositions(text: String) {
        #expect(LSN(text) == nil)
    }

    @Test func distanceNeverGoesBelowZero() {
        #expect(LSN(10).bytes(since: LSN(4)) == 6)
        #expect(LSN(4).bytes(since: LSN(10)) == 0)
        #expect(LSN.zero < LSN(1))
    }

    /// The short identifier and its reference, both as they stand on either side of an epoch's edge.
    @Test(
        arguments: [
            (100, 100, 100), (101, 100, 101), (99, 100, 99),
            (0, 0x1_0000_0000, 0x1_0000_0000), (0xFFFF_FFFF, 0x1_0000_0000, 0xFFFF_FFFF),
            (5, 0x1_FFFF_FFF0, 0x2_0000_0005), (0xFFFF_FFF0, 0x2_0000_0005, 0x1_FFFF_FFF0),
            (0x8000_0000, 0x1_0000_0001, 0x1_8000_0000), (0x8000_0002, 0x1_0000_0001, 0x8000_0002),
            // Below zero there is nothing: the first epoch's own reading stands.
            (0xFFFF_FFFF, 3, 0xFFFF_FFFF),
        ] as [(UInt32, UInt64, UInt64)])
    func identifiersWidenToTheNearest(short: UInt32, reference: UInt64, widened: UInt64) {
        #expect(TransactionID(short: short, near: TransactionID(reference)).rawValue == widened)
    }
}

@Suite struct SnapshotTests {
    @Test func textRoundTrips() throws {
        for text in ["795:799:795,797", "10:10:", "1:4294967297:2,3,4294967296"] {
            #expect(try #require(Snapshot(text)).description == text)
        }
        for text in ["", "1:2", "1:2:x", "2:1:", "a:2:", "1:2:3:4"] { #expect(Snapshot(text) == nil) }
    }

    @Test func coversWhatHadFinished() throws {
        let snapshot = try #require(Snapshot("795:799:795,797"))
        let covered = (790...805).filter { snapshot.covers(TransactionID($0)) }
        #expect(covered == [790, 791, 792, 793, 794, 796, 798])
    }

    @Test(arguments: [
        ("10:20:12,15", "10:20:12,15", true), ("12:20:12,15", "10:20:10,12,15", true), ("20:20:", "10:20:12", true),
        ("12:21:12,15", "12:20:12", false), ("12:21:12,20", "12:20:12", true), ("10:19:", "10:20:", false),
    ])
    func seesAllOfAnEarlierOne(later: String, earlier: String, answer: Bool) throws {
        #expect(try #require(Snapshot(later)).seesAll(of: try #require(Snapshot(earlier))) == answer)
    }

    /// The binary search against the definition.
    @Test func coversAgreesWithItsDefinition() {
        for mask in 0..<256 {
            let inProgress = (0..<8).filter { mask & (1 << $0) != 0 }.map { TransactionID(UInt64(100 + $0)) }
            let snapshot = Snapshot(
                xmin: TransactionID(100), xmax: TransactionID(108), inProgress: inProgress.reversed())
            for xid in UInt64(98)..<112 {
                let expected = xid < 100 || (xid < 108 && !inProgress.contains(TransactionID(xid)))
                #expect(snapshot.covers(TransactionID(xid)) == expected)
            }
        }
    }
}
