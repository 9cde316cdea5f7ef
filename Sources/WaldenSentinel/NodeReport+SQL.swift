import WaldenCore
import WaldenFailover
import WaldenPostgres

extension NodeReport {
    /// One question for primaries and standbys. The timeline of a primary is read off a log file's name; a standby's comes
    /// from its receiver, and where there is none from what recovery last wrote down, which may be one promotion behind.
    static let sql = """
        SELECT (pg_catalog.pg_control_system()).system_identifier, r.standby, \
        CASE WHEN NOT r.standby THEN pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()) END, \
        GREATEST(w.received_tli, (pg_catalog.pg_control_checkpoint()).timeline_id, \
        (pg_catalog.pg_control_recovery()).min_recovery_end_timeline), \
        CASE WHEN r.standby THEN GREATEST(pg_catalog.pg_last_wal_receive_lsn(), \
        pg_catalog.pg_last_wal_replay_lsn()) ELSE pg_catalog.pg_current_wal_flush_lsn() END, \
        CASE WHEN r.standby THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_flush_lsn() END, \
        w.pid, w.status, (extract(epoch FROM pg_catalog.clock_timestamp() - w.last_msg_receipt_time) * 1000000)::bigint, \
        pg_catalog.current_setting('primary_conninfo') <> '', \
        pg_catalog.current_setting('synchronous_standby_names'), \
        pg_catalog.current_setting('max_replication_slots')::int \
        - (SELECT count(*)::int FROM pg_catalog.pg_replication_slots), \
        CASE WHEN r.standby THEN pg_catalog.pg_is_wal_replay_paused() ELSE false END, \
        pg_catalog.concat_ws(', ', \
        CASE WHEN NOT pg_catalog.has_parameter_privilege('primary_conninfo', 'ALTER SYSTEM') \
        THEN 'ALTER SYSTEM ON PARAMETER primary_conninfo' END, \
        CASE WHEN NOT pg_catalog.has_parameter_privilege('synchronous_standby_names', 'ALTER SYSTEM') \
        THEN 'ALTER SYSTEM ON PARAMETER synchronous_standby_names' END, \
        CASE WHEN NOT pg_catalog.has_function_privilege('pg_catalog.pg_reload_conf()', 'EXECUTE') \
        THEN 'EXECUTE ON FUNCTION pg_reload_conf()' END, \
        CASE WHEN NOT pg_catalog.has_function_privilege('pg_catalog.pg_promote(boolean, integer)', 'EXECUTE') \
        THEN 'EXECUTE ON FUNCTION pg_promote(boolean, integer)' END) \
        FROM (SELECT pg_catalog.pg_is_in_recovery() AS standby) r LEFT JOIN pg_catalog.pg_stat_wal_receiver w ON true
        """

    /// The process that receives the log at a standby, as the answer to `sql` names it.
    static func receiver(in row: [String?]) -> String? { row.count == 14 ? row[6] : nil }

    /// The answer to `sql`; nil when it is none.
    ///
    /// - Parameter knownTimeline: The newest that this run of the node was seen on.
    init?(row: [String?], knownTimeline: TimelineID?, askedAt: Instant) {
        guard row.count == 14, let system = row[0], let received = row[4].flatMap(LSN.init),
            let replayed = row[5].flatMap(LSN.init), let names = row[10], let slots = row[11].flatMap({ Int($0) })
        else { return nil }
        let written = row[2].flatMap { UInt32($0.prefix(8), radix: 16) }
        guard let told = written ?? row[3].flatMap({ UInt32($0) }) else { return nil }
        var receiver: Receiver?
        if row[6] != nil {
            // A role that may not see more does not know how long it has been silent: then it says nothing for it.
            let silence = row[8].flatMap { Int64($0) } ?? 0
            receiver = Receiver(isStreaming: row[7] == "streaming", silentFor: .microseconds(max(0, silence)))
        }
        self.init(
            systemIdentifier: system, timeline: max(TimelineID(told), knownTimeline ?? TimelineID(0)),
            isInRecovery: row[1] == "t", received: received, replayed: replayed, receiver: receiver,
            hasUpstream: row[9] == "t", synchronousStandbyNames: names, freeSlots: slots,
            isReplayPaused: row[12] == "t", missingRights: row[13] ?? "", askedAt: askedAt)
    }
}
