import Dispatch
import NIOCore
import NIOPosix
import Testing

@testable import WaldenRuntime

/// Hazard: a watchdog that is fed by a process that serves nobody.
@Suite struct WatchdogTests {
    @Test func itIsNotFedWhileALoopHangs() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let loops = Array(group.makeIterator())
        let check = LoopCheck(loops)
        try await becomesAnswered(check)
        let (hangs, goesOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        loops[1].execute {
            hangs.signal()
            goesOn.wait()
        }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                hangs.wait()
                continuation.resume()
            }
        }
        // It may have answered the question before.
        _ = check.isAnswered()
        for _ in 0..<1_000 { #expect(!check.isAnswered()) }
        // The other one does answer, and that is not enough.
        try await loops[0].submit {}.get()
        #expect(!check.isAnswered())
        goesOn.signal()
        try await becomesAnswered(check)
        try await group.shutdownGracefully()
    }

    private func becomesAnswered(_ check: LoopCheck) async throws {
        for _ in 0..<5_000 {
            if check.isAnswered() { return }
            try await Task.sleep(for: .milliseconds(2))
        }
        Issue.record("the loops do not answer")
    }

    @Test(
        arguments: [
            ("20000000", "7", .seconds(5)), ("20000000", nil, .seconds(5)), ("1", "7", .milliseconds(1)),
            ("20000000", "8", nil), (nil, nil, nil), ("0", nil, nil), ("x", nil, nil), ("20000000", "x", nil),
        ] as [(String?, String?, Duration?)])
    func theIntervalIsAQuarter(_ time: String?, _ process: String?, _ interval: Duration?) {
        #expect(Watchdog.interval(time, process, of: 7) == interval)
    }
}
