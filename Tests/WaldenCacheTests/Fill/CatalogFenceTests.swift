import Testing
import WaldenCore

@testable import WaldenCache

@Suite struct CatalogFenceTests {
    private var fence = CatalogFence()

    private mutating func read(_ generation: UInt64, _ text: String) -> Bool {
        fence.catalogRead(generation: generation, under: snapshot(text))
    }

    @Test mutating func admitsTheGenerationReadLast() {
        #expect(fence.admits(0))
        #expect(!fence.admits(1))
        #expect(read(1, "10:10:") == true)
        #expect(fence.admits(1))
        #expect(!fence.admits(0))
    }

    @Test mutating func aChangeRaisesItUntilAReadingSeesTheChange() {
        #expect(read(1, "10:10:") == true)
        fence.transactionDelivered(TransactionID(12), changesCatalog: true)
        #expect(!fence.admits(1))
        #expect(read(2, "12:13:12") == false)
        #expect(!fence.admits(2))
        #expect(read(3, "11:12:") == false)
        #expect(read(4, "13:13:") == true)
        #expect(fence.admits(4))
    }

    @Test mutating func otherTransactionsLeaveItAlone() {
        #expect(read(1, "10:10:") == true)
        fence.transactionDelivered(TransactionID(12), changesCatalog: false)
        #expect(fence.admits(1))
    }

    /// A reading from before the stream says nothing of what went untold.
    @Test mutating func aNewStreamRaisesIt() {
        #expect(read(1, "10:10:") == true)
        fence.streamStarted(StartWindow(ceiling: TransactionID(20)))
        #expect(fence.isUp)
        #expect(read(2, "15:30:15") == false)
        #expect(read(3, "20:30:25") == true)
    }

    @Test mutating func aDeliveredChangeFromTheStartWindowCountsOnItsOwn() {
        fence.streamStarted(StartWindow(ceiling: TransactionID(20)))
        fence.transactionDelivered(TransactionID(15), changesCatalog: true)
        #expect(read(1, "15:30:15") == false)
        #expect(read(2, "30:30:") == true)
    }

    @Test mutating func aNewStreamForgetsTheChangesOfTheOldOne() {
        fence.transactionDelivered(TransactionID(12), changesCatalog: true)
        fence.streamStarted(StartWindow(ceiling: TransactionID(20)))
        #expect(read(1, "20:20:") == true)
    }

    /// A migration of a thousand transactions is remembered by its end.
    @Test mutating func manyChangesAreBounded() {
        for xid in 100..<1100 { fence.transactionDelivered(TransactionID(UInt64(xid)), changesCatalog: true) }
        #expect(read(1, "500:1100:500") == false)
        #expect(read(2, "1100:1100:") == true)
    }
}
