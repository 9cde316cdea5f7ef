import Testing
import WaldenCore
import WaldenFailover

@testable import WaldenSentinel

@Suite struct EventQueueTests {
    /// A flood costs what came last, and is told.
    @Test func whatFindsNoRoomIsCounted() throws {
        let queue = try EventQueue()
        for id in 0..<(EventQueue.capacity + 3) { queue.add(.answered(id: UInt64(id), .done)) }
        #expect(queue.dropped == 3)
        #expect(queue.take(until: .distantPast).count == EventQueue.capacity)
        queue.add(.answered(id: 0, .done))
        #expect(queue.dropped == 3)
        #expect(queue.take(until: .distantPast).count == 1)
    }
}
