import Testing
import WaldenCore
import WaldenFailover
import WaldenSentinel
import WaldenTestKit

/// Scenario: the sentinel ends at a record of a failover or a switchover, and another one starts with its journal. Risk: a
/// step that is forgotten or done to two nodes. Before the point of no return all is undone and begun anew; past it the
/// second sentinel goes on.
@Suite(.serialized) struct SentinelRestartTests {
    private static let quick: [FailoverState] = [.promote, .sever, .opening]
    private static let rest: [FailoverState] = [.hold, .census, .fence, .open, .steady]

    @Test(.againstHanging, arguments: FailoverRows.of(quick + rest, quick: quick.count))
    func aSentinelEndedAtARecordOfAFailoverGoesOnFromIt(_ state: FailoverState) throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let first = try scene.startSentinel()
        try scene.writeSome()
        let ended = end(first, at: state, in: scene)
        try scene.cluster.primary.kill()
        try awaitEnd(of: first, ended, in: scene)
        let second = try scene.startSentinel()
        defer { second.stop() }
        let promoted = try scene.awaitFailover()
        try scene.awaitFollower(of: promoted)
        try scene.writeSome()
        try scene.judge("a sentinel ended at \(state.rawValue) of a failover", on: promoted)
        try expectOneSentinelAndAReadableJournal(second, scene)
        let terms = Set(scene.proxy.notes.filter { $0.to == .hold }.map(\.term))
        #expect(terms.count == (state.isRevocable ? 2 : 1), "\(terms)")
    }

    @Test(.againstHanging, arguments: FailoverRows.of(quick + rest, quick: 1))
    func aSentinelEndedAtARecordOfASwitchoverGoesOnFromIt(_ state: FailoverState) throws {
        let scene = try SentinelScene()
        defer { scene.end() }
        let first = try scene.startSentinel()
        try scene.writeSome()
        let ended = end(first, at: state, in: scene)
        first.request(.switchover(to: scene.node(of: scene.cluster.standbys[0])))
        try awaitEnd(of: first, ended, in: scene)
        let second = try scene.startSentinel()
        defer { second.stop() }
        try scene.writeSome()
        let primary = scene.servers[scene.proxy.serving.primary.index]
        // What could be undone was: the old primary goes on. The rest went forward.
        #expect(primary.name == (state.isRevocable ? "primary" : "standby1"))
        try scene.judge("a sentinel ended at \(state.rawValue) of a switchover", on: primary)
    }

    /// Asked on its own thread: the record follows, and nothing after the orders of that state.
    private func end(_ sentinel: Sentinel, at state: FailoverState, in scene: SentinelScene) -> Flag {
        let ended = Flag()
        scene.proxy.onNote { note in
            // It is steady before as well, and may find another rule then.
            guard note.to == state, state != .steady || note.from == .open, !ended.isRaised else { return }
            sentinel.stop()
            ended.raise()
        }
        return ended
    }

    private func awaitEnd(of sentinel: Sentinel, _ ended: Flag, in scene: SentinelScene) throws {
        try eventually("the sentinel comes to its last record", timeout: .seconds(30)) { ended.isRaised }
        sentinel.stop()
        // It died in the middle of a record as well: that one was never spoken of.
        try Files.write(#"{"at":1,"rec"#.utf8, to: scene.journalPath, appending: true)
    }

    private func expectOneSentinelAndAReadableJournal(_ running: Sentinel, _ scene: SentinelScene) throws {
        #expect(throws: SentinelError.self, "a second one at once") { try scene.makeSentinel() }
        running.stop()
        try Files.write("{}\n".utf8, to: scene.journalPath, appending: true)
        let refusal = try #require(throws: SentinelError.self) { try scene.makeSentinel() }
        #expect(refusal.description.contains("of \(scene.journalPath) cannot be read"), "\(refusal)")
    }
}
