import Testing
import WaldenCore
import WaldenDependency

@testable import WaldenCache

/// Fills on standbys, as transcripts.
@Suite struct StandbyLogTests {
    private let test = TestCache()
    private let byID = depends([equal("id", 1)])

    /// The log stands at 1000 and each transaction takes 100 of it.
    private func begin(_ key: String, replayed: UInt64, covering: Instant = .distantPast, needs: Instant = .distantPast)
        -> FillDecision
    {
        test.cache.beginFill(
            key: Array(key.utf8), dependencies: byID, generation: test.generation, now: test.tick(),
            notOlderThan: needs, on: .standby(replayed: LSN(replayed), covering: covering))
    }

    private func start() {
        test.start()
        test.probe()
        test.cache.standbysReplayed(LSN(1000))
    }

    @Test func noneFillsBeforeTheStandbysWereLookedAt() {
        test.start()
        test.probe()
        #expect(begin("q", replayed: 5000) == .refused(.standbyTooOld))
        #expect(test.statistics.fillsRefused[.standbyTooOld] == 1)
        test.cache.standbysReplayed(LSN(1000))
        guard case .fill = begin("q", replayed: 1000) else {
            Issue.record("no fill")
            return
        }
        test.cache.standbysReplayed(nil)
        #expect(begin("r", replayed: 5000) == .refused(.standbyTooOld))
    }

    /// Every reader of the primary sees it, so the recent list has forgotten it.
    @Test func whatTheStandbyLacksTaintsItsFills() {
        start()
        test.probe("130:130:")
        test.apply(120, [test.relation.insert([1, 5])])
        guard case .fill(let lagging) = begin("lagging", replayed: 1099),
            case .fill(let level) = begin("level", replayed: 1100)
        else {
            Issue.record("no fill")
            return
        }
        #expect(test.complete(lagging, "old")?.outcome == .tainted(.recentTransaction))
        #expect(test.complete(level, "new")?.outcome == .pendingVisibility)
        test.probe()
        #expect(test.lookup("level") == "new")
    }

    @Test func aCommitThatArrivesLaterTaintsUnlessItWasReplayed() {
        start()
        guard case .fill(let ahead) = begin("ahead", replayed: 1100),
            case .fill(let behind) = begin("behind", replayed: 1000)
        else {
            Issue.record("no fill")
            return
        }
        test.apply(120, [test.relation.insert([1, 5])])
        #expect(test.complete(ahead, "seen")?.outcome == .pendingVisibility)
        #expect(test.complete(behind, "unseen")?.outcome == .tainted(.row))
    }

    /// It waits at the primary for its synchronous standby, while another standby shows it already.
    @Test func whatThePrimarysReadersDoNotSeeYetIsNotServed() {
        test.start("100:130:120")
        test.probe()
        test.cache.standbysReplayed(LSN(1100))
        test.apply(120, [test.relation.insert([1, 5])])
        guard case .fill(let id) = begin("q", replayed: 1100) else {
            Issue.record("no fill")
            return
        }
        test.complete(id, "new")
        test.probe()
        test.probe()
        #expect(test.lookup("q") == "miss")
        #expect(test.cache.demand(now: test.tick()).probe)
        test.probe("130:130:")
        #expect(test.lookup("q") == "new")
    }

    @Test func theStandbyMustHaveReplayedTheLastChangeOfTheCatalog() {
        start()
        test.apply(120, message: "ddl")
        test.readCatalog("130:130:")
        test.probe("130:130:")
        test.cache.standbysReplayed(LSN(1000))
        #expect(begin("q", replayed: 1099) == .refused(.standbyTooOld))
        guard case .fill = begin("q", replayed: 1100) else {
            Issue.record("no fill")
            return
        }
    }

    /// Of roles no message tells: what the reading may have seen, the log holds up to the next probe that saw as much.
    @Test func theStandbyMustHaveReplayedWhatTheReadingOfTheCatalogSaw() {
        start()
        test.readCatalog("140:140:")
        #expect(begin("q", replayed: 9000) == .refused(.standbyTooOld))
        test.probe("130:130:", ahead: 300)
        #expect(begin("q", replayed: 9000) == .refused(.standbyTooOld))
        test.probe("140:140:", ahead: 500)
        #expect(begin("q", replayed: 1499) == .refused(.standbyTooOld))
        guard case .fill = begin("q", replayed: 1500) else {
            Issue.record("no fill")
            return
        }
    }

    /// Its query began now, but what it reads is older.
    @Test func aRequestJoinsNoFillOnAStandbyThatShowsLessThanItNeeds() {
        start()
        let covered = test.tick()
        let wrote = test.tick()
        guard case .fill(let id) = begin("q", replayed: 1000, covering: covered) else {
            Issue.record("no fill")
            return
        }
        #expect(test.begin("q", byID, notOlderThan: wrote) == .refused(.identicalUnderWay))
        #expect(test.begin("q", byID, notOlderThan: covered) == .join(id))
        #expect(test.begin("q", byID, notOlderThan: covered, joinsPrimary: false) == .join(id))
    }

    @Test func whatAllHaveReplayedIsForgottenAndAnOlderPositionRefused() {
        start()
        test.apply(120, [test.relation.insert([1, 5])])
        test.cache.standbysReplayed(LSN(1050))
        #expect(begin("q", replayed: 1049) == .refused(.standbyTooOld))
        test.cache.standbysReplayed(LSN(1100))
        #expect(begin("q", replayed: 1099) == .refused(.standbyTooOld))
        guard case .fill = begin("q", replayed: 1100) else {
            Issue.record("no fill")
            return
        }
    }

    @Test func aNewStreamKnowsNothingOfWhatCameBefore() {
        start()
        test.apply(120, [test.relation.insert([1, 5])])
        test.cache.streamLost(reason: "cut", now: test.tick())
        test.start("130:130:")
        test.probe()
        test.cache.standbysReplayed(LSN(1000))
        #expect(begin("q", replayed: 1099) == .refused(.standbyTooOld))
        guard case .fill = begin("q", replayed: 1100) else {
            Issue.record("no fill")
            return
        }
    }
}
