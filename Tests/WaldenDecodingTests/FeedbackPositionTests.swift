import Testing
import WaldenCore
import WaldenDecoding

@Suite struct FeedbackPositionTests {
    @Test func beginsWhereTheStreamBegins() {
        let position = FeedbackPosition(start: LSN(100))
        #expect(position.flushed == LSN(100))
        #expect(position.received == LSN(100))
    }

    @Test func followsWhatIsApplied() {
        var position = FeedbackPosition(start: LSN(100))
        position.transactionReceived(end: LSN(120))
        position.transactionReceived(end: LSN(140))
        #expect(position.received == LSN(140))
        #expect(position.flushed == LSN(100))
        position.transactionApplied(end: LSN(120))
        #expect(position.flushed == LSN(120))
        position.transactionApplied(end: LSN(140))
        #expect(position.flushed == LSN(140))
    }

    @Test func followsKeepalivesWhenIdle() {
        var position = FeedbackPosition(start: LSN(100))
        position.progressed(to: LSN(500))
        #expect(position.flushed == LSN(500))
        position.progressed(to: LSN(400))
        #expect(position.flushed == LSN(500))
    }

    @Test func aKeepaliveDoesNotPassAnUnappliedTransaction() {
        var position = FeedbackPosition(start: LSN(100))
        position.transactionReceived(end: LSN(120))
        position.progressed(to: LSN(500))
        #expect(position.flushed == LSN(100))
        #expect(position.received == LSN(500))
        position.transactionApplied(end: LSN(120))
        #expect(position.flushed == LSN(500))
    }

    @Test func anOldKeepaliveDoesNotPassALaterTransaction() {
        var position = FeedbackPosition(start: LSN(100))
        position.transactionReceived(end: LSN(120))
        position.progressed(to: LSN(130))
        position.transactionReceived(end: LSN(200))
        position.transactionApplied(end: LSN(120))
        #expect(position.flushed == LSN(120))
        position.transactionApplied(end: LSN(200))
        #expect(position.flushed == LSN(200))
    }

    @Test func aFrameAloneIsOnlyReceived() {
        var position = FeedbackPosition(start: LSN(100))
        position.frameReceived(at: LSN(300))
        #expect(position.received == LSN(300))
        #expect(position.flushed == LSN(100))
    }

    /// What was never handed over cannot have been applied.
    @Test func appliedNeverPassesDelivered() {
        var position = FeedbackPosition(start: LSN(100))
        position.transactionReceived(end: LSN(120))
        position.transactionApplied(end: LSN(900))
        #expect(position.flushed == LSN(120))
    }

    @Test func randomOrdersKeepTheBounds() {
        var random = SplitMix64(seed: 3)
        for _ in 0..<200 {
            var position = FeedbackPosition(start: LSN(0))
            var end: UInt64 = 0
            var waiting: [UInt64] = []
            for _ in 0..<50 {
                let before = position.flushed
                end += UInt64.random(in: 1...9, using: &random)
                switch UInt8.random(in: 0..<3, using: &random) {
                case 0:
                    position.transactionReceived(end: LSN(end))
                    waiting.append(end)
                case 1:
                    position.progressed(to: LSN(end))
                default:
                    guard !waiting.isEmpty else { continue }
                    position.transactionApplied(end: LSN(waiting.removeFirst()))
                }
                #expect(position.flushed >= before)
                #expect(position.flushed <= position.received)
                if let first = waiting.first { #expect(position.flushed < LSN(first)) }
            }
        }
    }

    @Test func theStatusSaysAll() {
        var position = FeedbackPosition(start: LSN(0x100))
        position.transactionReceived(end: LSN(0x0102_0304_0506_0708))
        let status = position.status(clock: -2, replyRequested: true)
        #expect(
            status
                == StandbyStatus(
                    written: LSN(0x0102_0304_0506_0708), flushed: LSN(0x100), applied: LSN(0x100), clock: -2,
                    replyRequested: true))
        #expect(
            Rendering.hex(status.encode())
                == "72" + "0102030405060708" + "0000000000000100" + "0000000000000100" + "fffffffffffffffe" + "01")
        #expect(position.status(clock: 0, replyRequested: false).encode().last == 0)
    }
}
