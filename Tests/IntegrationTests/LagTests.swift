import Testing
import WaldenTestKit

/// Scenario: a primary with standbys that follow, pause, apply late, hang on another standby, freeze, end, and are
/// promoted. Risk: a replica that counts as fresh without being it, or as lost for ever.
///
/// One cluster, one test after the other: what one does to a standby the next would see.
@Suite(.serialized) struct LagTests {
    private static let stack = Result { () throws -> WaldenStack in
        var configuration = WaldenStack.Configuration(schema: "CREATE TABLE t (id int PRIMARY KEY, v int)")
        configuration.cluster.standbys = 2
        configuration.usesStandbys = true
        return try WaldenStack.start(configuration)
    }

    private func node(_ name: String, of walden: WaldenProcess) throws -> JSONValue {
        try walden.status()["nodes"].array.first { $0["name"].string == name } ?? .null
    }

    private func covers(_ node: JSONValue) -> Bool { node["obstacle"] == .null && node["covered_seconds"] != .null }

    @Test func aStandbyThatFollowsIsCovered() throws {
        let stack = try Self.stack.get()
        try stack.direct().query("INSERT INTO t SELECT n, n FROM generate_series(1, 1000) n")
        try eventually("both have all") {
            try ["replica1", "replica2"].allSatisfy { name in
                let node = try self.node(name, of: stack.walden)
                return covers(node) && node["lag_bytes"].int == 0 && node["lag_seconds"].double == 0
                    && (node["covered_seconds"].double ?? .infinity) < 3
            }
        }
        let node = try node("replica1", of: stack.walden)
        #expect(node["role"].string == "replica")
        #expect(node["receiver"].string == "streaming")
        #expect(node["timeline"].int == 1)
        let positions = try ["received_lsn", "flushed_lsn", "replayed_lsn"].map { try #require(node[$0].string) }
        let pairs = "'\(positions[0])'::pg_lsn >= '\(positions[1])' AND '\(positions[1])' >= '\(positions[2])'::pg_lsn"
        #expect(try stack.direct().scalar("SELECT \(pairs)") == "t", "\(positions)")
        #expect(try self.node("primary", of: stack.walden)["role"].string == "primary")
        #expect(try self.node("primary", of: stack.walden)["obstacle"] == .null)
    }

    @Test func aPausedReplayIsBehindAndComesBack() throws {
        let stack = try Self.stack.get()
        let standby = try stack.cluster.standbys[1].connect()
        try standby.query("SELECT pg_wal_replay_pause()")
        try eventually("the replay has stopped") {
            try standby.scalar("SELECT pg_get_wal_replay_pause_state()") == "paused"
        }
        try stack.direct().query("UPDATE t SET v = v + 1")
        try eventually("the lag grows") {
            let node = try self.node("replica2", of: stack.walden)
            return node["problem"].string == "replay is paused" && (node["lag_bytes"].int ?? 0) > 1_000
                && (node["lag_seconds"].double ?? 0) > 1 && (node["covered_seconds"].double ?? 0) > 1
        }
        // The other one is none the worse for it.
        try eventually("the other one covers") {
            (try self.node("replica1", of: stack.walden)["covered_seconds"].double ?? .infinity) < 3
        }
        try standby.query("SELECT pg_wal_replay_resume()")
        try eventually("it has caught up") {
            let node = try self.node("replica2", of: stack.walden)
            return node["problem"] == .null && node["lag_bytes"].int == 0
                && (node["covered_seconds"].double ?? .infinity) < 3
        }
        #expect((try node("replica2", of: stack.walden)["peak_lag_seconds"].double ?? 0) > 1)
        let history = try JSONValue(parsing: stack.walden.get("/lag").body)["replica2"].array
        #expect(history.contains { ($0["lag_seconds"].double ?? 0) > 1 })
        #expect(history.contains { $0["lag_seconds"].double == 0 })
        let metrics = try stack.walden.metrics()
        #expect(metrics[#"walden_node_lag_bytes{node="replica2"}"#] == 0, "\(metrics)")
    }

    /// It receives everything and applies it late; the coverage says so, whatever was received.
    @Test func aDelayedStandbyCoversThePast() throws {
        let stack = try Self.stack.get()
        let late = try stack.cluster.addStandby("late", settings: ["recovery_min_apply_delay": "3s"])
        let walden = try watch(stack.cluster.primary, [late.dsn()])
        let writer = try stack.direct()
        try eventually("it is seen to be seconds behind, and to have received all") {
            try writer.query("UPDATE t SET v = v + 1 WHERE id = 1")
            let node = try self.node("replica1", of: walden)
            let covered = node["covered_seconds"].double ?? 0
            return covers(node) && covered > 2 && covered < 30
                && node["received_lsn"].string != node["replayed_lsn"].string
        }
    }

    @Test func aCascadedStandbyIsMeasuredByThePrimary() throws {
        let stack = try Self.stack.get()
        let upstream = stack.cluster.standbys[0]
        let cascaded = try stack.cluster.addStandby("cascaded")
        let client = try cascaded.connect()
        // What the base backup wrote with ALTER SYSTEM wins over the configuration file.
        let source = upstream.dsn(database: "replication", "application_name=cascaded")
        try client.query("ALTER SYSTEM SET primary_conninfo = '\(source)'")
        cascaded.reload()
        try eventually("it streams from the other standby") {
            try client.scalar("SELECT sender_port FROM pg_stat_wal_receiver WHERE status = 'streaming'")
                == "\(upstream.port)"
        }
        let walden = try watch(stack.cluster.primary, [cascaded.dsn()])
        try stack.direct().query("UPDATE t SET v = v + 1")
        try eventually("it covers the present") {
            let node = try self.node("replica1", of: walden)
            return covers(node) && node["lag_bytes"].int == 0 && (node["covered_seconds"].double ?? .infinity) < 3
        }
        let pausing = try upstream.connect()
        try pausing.query("SELECT pg_wal_replay_pause()")
        defer { _ = try? pausing.query("SELECT pg_wal_replay_resume()") }
        try stack.direct().query("UPDATE t SET v = v + 1")
        try stack.cluster.waitForReplay(on: cascaded)
        try eventually("what its upstream has applied does not matter") {
            let node = try self.node("replica1", of: walden)
            return covers(node) && node["lag_bytes"].int == 0 && (node["covered_seconds"].double ?? .infinity) < 3
        }
    }

    @Test func aLostStandbyComesBackByItself() throws {
        let stack = try Self.stack.get()
        let standby = stack.cluster.standbys[0]
        standby.freeze()
        try eventually("it is silent") {
            try self.node("replica1", of: stack.walden)["obstacle"].string == "silent"
        }
        standby.thaw()
        try eventually("it is back") { covers(try self.node("replica1", of: stack.walden)) }
        try standby.kill()
        try eventually("it is unreachable") {
            let node = try self.node("replica1", of: stack.walden)
            return node["obstacle"].string == "unreachable" && node["reachable"].bool == false
        }
        try standby.start()
        try eventually("it is back again") { covers(try self.node("replica1", of: stack.walden)) }
    }

    @Test func slotsTellWhatTheyKeep() throws {
        let stack = try Self.stack.get()
        let client = try stack.direct()
        try client.query("SELECT pg_create_physical_replication_slot('kept', true)")
        defer { _ = try? client.query("SELECT pg_drop_replication_slot('kept')") }
        try client.query("UPDATE t SET v = v + 1")
        try eventually("the slot keeps what was written") {
            let slot = try stack.walden.status()["slots"].array.first { $0["name"].string == "kept" }
            return slot?["active"].bool == false && (slot?["retained_bytes"].int ?? 0) > 1_000
        }
        #expect(try stack.walden.metrics()[#"walden_slot_active{slot="kept"}"#] == 0)
    }

    @Test func whatIsNoStandbyOfThePrimaryIsNotUsed() throws {
        let stack = try Self.stack.get()
        let other = try Cluster.start()
        let promoted = try stack.cluster.addStandby("promoted")
        let walden = try watch(
            stack.cluster.primary,
            [promoted.dsn(), other.primary.dsn(), "host=127.0.0.1 port=1 connect_timeout=1"])
        try eventually("the standby covers") { covers(try self.node("replica1", of: walden)) }
        try promoted.connect().query("SELECT pg_promote()")
        let expected = ["replica1": "not_a_standby", "replica2": "not_a_standby", "replica3": "unreachable"]
        try eventually("each has its obstacle") {
            try expected.allSatisfy { try self.node($0.key, of: walden)["obstacle"].string == $0.value }
        }
    }

    /// Another Walden, which only watches.
    private func watch(_ primary: PostgresServer, _ replicas: [String]) throws -> WaldenProcess {
        var configuration = WaldenProcess.Configuration(primary: primary.dsn())
        configuration.replicas = replicas
        configuration.flags = ["--cache-enabled", "false"]
        return try WaldenProcess.start(configuration)
    }
}
