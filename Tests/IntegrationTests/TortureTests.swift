import Testing
import WaldenTorture

/// Scenario: sessions that read and write through Walden and past it, with two-phase commits, savepoints, COPY, TRUNCATE,
/// DDL, a standby that stalls and walsenders that are killed, and every read judged. Risk: whatever none of the other
/// tests thought of.
@Suite(.serialized) struct TortureTests {
    @Test func twentySecondsWithoutAViolation() throws {
        let options = try #require(Options(["--seconds", "20"]))
        #expect(try Torture(options).run(), "seed \(options.seed)")
    }
}
