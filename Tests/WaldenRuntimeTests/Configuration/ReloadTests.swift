import Testing

@testable import WaldenRuntime

@Suite struct ReloadTests {
    @Test func equalConfigurationsDifferInNothing() throws {
        let difference = try load().differences(to: load())
        #expect(difference.reloadable.isEmpty)
        #expect(difference.needRestart.isEmpty)
    }

    @Test func differencesAreParted() throws {
        let old = try load()
        let new = try load([:], [("--log-level", "debug"), ("--listen", "h:1"), ("--replica", "host=a")])
        let difference = old.differences(to: new)
        #expect(difference.reloadable == ["log.level"])
        #expect(difference.needRestart == ["replicas", "listen"])
    }

    /// Also one of less than a millisecond.
    @Test func smallDifferencesCount() throws {
        let old = try load([:], [("--cache-max-staleness", "10500us"), ("--cache-max-bytes", "64MB")])
        let new = try load([:], [("--cache-max-staleness", "10501us"), ("--cache-max-bytes", "67108865")])
        #expect(old.differences(to: new).needRestart == ["cache.max_bytes", "cache.max_staleness"])
    }

    @Test func poolsAreReloadableButForTheirSockets() throws {
        let new = try load([:], [("--pool-size", "7"), ("--pool-mode", "session"), ("--pool-tcp-user-timeout", "1s")])
        let difference = try load().differences(to: new)
        #expect(difference.reloadable == ["pool.mode", "pool.size"])
        #expect(difference.needRestart == ["pool.tcp_user_timeout"])
    }

    @Test func changedPasswordCounts() throws {
        let old = try load(["WALDEN_PRIMARY": "host=a password=x"])
        #expect(old.differences(to: try load(["WALDEN_PRIMARY": "host=a password=y"])).needRestart == ["primary"])
    }
}
