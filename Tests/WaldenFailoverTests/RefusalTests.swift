import Testing
import WaldenCore

@testable import WaldenFailover

/// Risk: a failover that is begun and cannot end well: its severing costs clients their commits, and is undone for nothing.
/// Each is refused before it begins, with what shows it and what to do.
@Suite struct RefusalTests {
    private static func refusal(names: String = "ANY 1 (b, c)", _ change: (inout Bench) -> Void = { _ in }) -> String? {
        var bench = Bench(names: names)
        bench.pass(.milliseconds(200))
        change(&bench)
        bench.kill(Bench.a)
        bench.pass(.seconds(20))
        #expect(bench.machine.state == .needsHuman)
        #expect(bench.rows.last == 340)
        #expect(!bench.rows.contains(410))
        return bench.details.last
    }

    @Test(arguments: ["ANY 1 (b, stranger)", "*", "ANY 3 (b, c)", "ANY 0 (b)"])
    func aRuleThatProvesNothing(names: String) throws {
        let problem = try #require(throws: StandbyNamesProblem.self) {
            try StandbyNames.parse(names)?.rule(among: Bench.names)
        }
        #expect(Self.refusal(names: names) == problem.description)
    }

    @Test func aStandbyOnAnotherTimeline() {
        let refusal = Self.refusal { $0.change(Bench.c) { $0.timeline = TimelineID(7) } }
        #expect(refusal?.contains("c: its log is on timeline 7, not 1 of the primary") ?? false)
        #expect(refusal?.contains("make it anew") ?? false)
    }

    @Test func noRoomForASlot() {
        let refusal = Self.refusal { bench in
            for node in [Bench.b, Bench.c] { bench.change(node) { $0.freeSlots = 0 } }
        }
        #expect(refusal?.contains("raise its max_replication_slots") ?? false)
    }

    @Test func missingRights() {
        let refusal = Self.refusal { $0.change(Bench.b) { $0.missingRights = "EXECUTE ON FUNCTION pg_promote" } }
        #expect(refusal?.contains("b: the sentinel's role lacks EXECUTE ON FUNCTION pg_promote: run sql") ?? false)
    }

    /// What is mended is seen, and the failover follows.
    @Test func whatIsMendedIsNoObstacle() {
        var bench = Bench()
        bench.pass(.milliseconds(200))
        for node in [Bench.b, Bench.c] { bench.change(node) { $0.freeSlots = 0 } }
        bench.kill(Bench.a)
        bench.pass(.seconds(5))
        #expect(bench.machine.state == .needsHuman)
        for node in [Bench.b, Bench.c] { bench.change(node) { $0.freeSlots = 1 } }
        bench.pass(.seconds(10))
        #expect(bench.machine.evidence.primary == Bench.b)
    }

    /// A quorum that acknowledges nothing is mended at the standbys; the primary that came back is one to go on with.
    @Test func aPrimaryWithoutAQuorumIsNoMoreInNeedOfPeople() {
        var bench = Bench()
        bench.pass(.milliseconds(200))
        for node in [Bench.b, Bench.c] { bench.change(node) { $0.freeSlots = 0 } }
        // The heartbeat that is under way when it falls silent is never acknowledged.
        bench.hasQuorum = false
        bench.pass(.milliseconds(50))
        bench.isolate(Bench.a, after: .seconds(2))
        bench.pass(.seconds(5))
        #expect(bench.machine.state == .needsHuman)
        bench.away = [:]
        bench.pass(.milliseconds(50))
        #expect(bench.machine.finding == .syncStalled)
        #expect(bench.machine.state == .steady)
    }
}
