internal import WaldenCore

/// What facts mean. Pure: the same facts give the same findings.
public enum Judgement {
    /// All findings on a primary, in the order in which a person would cure them.
    public static func judge(_ facts: ServerFacts) -> [Finding] {
        let product = [version(facts), recovery(facts)] + (facts.isGreenplum ? [greenplum] : [])
        if product.contains(where: \.blocksCaching) { return product }
        return product + server(facts) + [publication(facts)] + publicationActions(facts) + tables(facts)
            + [eventTriggers(facts), schemaVersion(facts), synchronousStandbys(facts), clock(facts)]
    }

    /// The finding when a server could not be asked.
    public static func unreachable(_ error: PostgresError, endpoint: String) -> Finding {
        Finding(
            .connection, .mustFix, "the server cannot be asked", evidence: error.message,
            cure: error.cure ?? "check that \(endpoint) is a running server and admits this role")
    }

    // MARK: - The server

    private static func version(_ facts: ServerFacts) -> Finding {
        let text =
            facts.serverVersion >= 100_000
            ? "\(facts.serverVersion / 10_000).\(facts.serverVersion % 10_000)" : "\(facts.serverVersion)"
        return facts.serverVersion >= ReplicationCommands.oldestVersion
            ? Finding(.version, .ok, "the version is supported", evidence: "PostgreSQL \(text)")
            : Finding(
                .version, .mustFix, "versions below 14 do not stream what Walden needs",
                evidence: "PostgreSQL \(text)", cure: "upgrade the server")
    }

    private static let greenplum = Finding(
        .product, .mustFix, "this is Greenplum, whose coordinator does not log the changes of its segments",
        evidence: "gp_server_version is reported", cure: "use Walden without caching here")

    private static func recovery(_ facts: ServerFacts) -> Finding {
        facts.isInRecovery
            ? Finding(
                .recovery, .mustFix, "the server is a standby", evidence: "pg_is_in_recovery() = true",
                cure: "name the primary in --primary, and this server in --replica")
            : Finding(.recovery, .ok, "the server is a primary", evidence: "pg_is_in_recovery() = false")
    }

    private static func server(_ facts: ServerFacts) -> [Finding] {
        [
            walLevel(facts),
            pool(.replicationSlots, "replication slot", "max_replication_slots", facts.slots),
            pool(.walSenders, "WAL sender", "max_wal_senders", facts.senders),
            replicationRole(facts), replicationConnection(facts), functions(facts), slotKeepSize(facts),
            orphanSlots(facts),
        ]
    }

    private static func walLevel(_ facts: ServerFacts) -> Finding {
        let evidence = "wal_level = \(facts.walLevel)"
        return facts.walLevel == "logical"
            ? Finding(.walLevel, .ok, "the log carries row changes", evidence: evidence)
            : Finding(
                .walLevel, .mustFix, "the log does not carry row changes", evidence: evidence,
                cure: "ALTER SYSTEM SET wal_level = 'logical'; then restart the server")
    }

    private static func pool(
        _ id: Finding.ID, _ noun: String, _ setting: String, _ pool: ServerFacts.Pool
    ) -> Finding {
        let evidence = "\(setting) = \(pool.limit), \(pool.used) in use"
        if pool.used < pool.limit { return Finding(id, .ok, "a \(noun) is free", evidence: evidence) }
        if pool.ownedByWalden > 0 {
            return Finding(id, .ok, "no \(noun) is free, but Walden has one", evidence: evidence)
        }
        return Finding(
            id, .mustFix, "no \(noun) is free", evidence: evidence,
            cure: "ALTER SYSTEM SET \(setting) = \(pool.limit + 5); then restart the server")
    }

    private static func replicationRole(_ facts: ServerFacts) -> Finding {
        let role = facts.role
        let evidence = "role \(role.name): rolreplication = \(role.canReplicate), rolsuper = \(role.isSuperuser)"
        return role.canReplicate || role.isSuperuser
            ? Finding(.replicationRole, .ok, "the role may replicate", evidence: evidence)
            : Finding(
                .replicationRole, .mustFix, "the role may not replicate", evidence: evidence,
                cure: "ALTER ROLE \(ReplicationCommands.identifier(role.name)) REPLICATION;")
    }

    private static func replicationConnection(_ facts: ServerFacts) -> Finding {
        guard let refusal = facts.replicationRefusal else {
            return Finding(
                .replicationConnection, .ok, "a replication connection is accepted", evidence: "IDENTIFY_SYSTEM answers"
            )
        }
        let line = "host \(facts.database) \(facts.role.name) <address of Walden>/32 scram-sha-256"
        return Finding(
            .replicationConnection, .mustFix, "a replication connection is refused", evidence: refusal.message,
            cure: refusal.sqlState == "28000" ? "pg_hba.conf: \(line); then SELECT pg_reload_conf();" : refusal.cure)
    }

    private static func functions(_ facts: ServerFacts) -> Finding {
        guard !facts.forbiddenFunctions.isEmpty else {
            return Finding(.functions, .ok, "the role may call what Walden asks", evidence: "EXECUTE on all of them")
        }
        let list = facts.forbiddenFunctions.joined(separator: ", ")
        return Finding(
            .functions, .mustFix, "the role may not call functions that Walden needs", evidence: list,
            cure: "GRANT EXECUTE ON FUNCTION \(list) TO \(ReplicationCommands.identifier(facts.role.name));")
    }

    private static func slotKeepSize(_ facts: ServerFacts) -> Finding {
        Finding(
            .slotKeepSize, .ok,
            facts.slotKeepSize == "-1"
                ? "Walden's slot is temporary; a limit would also bound what a stalled Walden can hold back"
                : "the log that a slot can hold back is bounded",
            evidence: "max_slot_wal_keep_size = \(facts.slotKeepSize)")
    }

    private static func orphanSlots(_ facts: ServerFacts) -> Finding {
        guard let first = facts.orphanSlots.first else {
            return Finding(.orphanSlots, .ok, "no slot of Walden's is left over", evidence: "pg_replication_slots")
        }
        return Finding(
            .orphanSlots, .warning, "slots that nobody uses hold the log back",
            evidence: facts.orphanSlots.joined(separator: ", "),
            cure: "SELECT pg_drop_replication_slot(\(ReplicationCommands.literal(first)));")
    }

    /// A logical walsender counts as a standby when its application name is listed, and confirms nothing durable.
    private static func synchronousStandbys(_ facts: ServerFacts) -> Finding {
        let names = facts.synchronousStandbyNames
        let words = names.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "*") }.map { $0.lowercased() }
        let evidence = "synchronous_standby_names = '\(names)'"
        guard words.contains("*") || words.contains("walden") else {
            return Finding(.synchronousStandbys, .ok, "no commit waits for Walden", evidence: evidence)
        }
        return Finding(
            .synchronousStandbys, .warning, "Walden counts as a synchronous standby, and keeps no data",
            evidence: evidence, cure: "list the standbys by name in synchronous_standby_names")
    }

    private static func clock(_ facts: ServerFacts) -> Finding {
        let seconds = facts.clockOffset.fractionalSeconds
        let evidence = "the server is \(Int((seconds * 1000).rounded())) ms ahead"
        return abs(seconds) < 1
            ? Finding(.clock, .ok, "the clocks agree", evidence: evidence)
            : Finding(
                .clock, .warning, "the clocks differ; delays in seconds will look wrong, nothing else",
                evidence: evidence, cure: "run a time service (chrony, systemd-timesyncd) on both machines")
    }
}
