internal import WaldenCore

/// `walden doctor`, and the readiness check of `walden run`: gathers facts, then has them judged.
public enum Doctor {
    /// Never throws: a server that cannot be asked is a finding.
    public static func examine(
        _ dsn: DSN, publication: String = "walden", interrupt: Interrupt? = nil
    ) -> [Finding] {
        do throws(PostgresError) {
            return Judgement.judge(try ServerFacts.read(dsn, publication: publication, interrupt: interrupt))
        } catch {
            return [Judgement.unreachable(error, endpoint: dsn.endpoint.description)]
        }
    }

    /// What keeps Walden from caching anything here, most fundamental first; empty when it can begin. Asked again from
    /// time to time, it tells when a cure has worked.
    ///
    /// - Parameter needsEventTriggers: False where schema changes are noticed without them.
    public static func blockers(
        _ dsn: DSN, publication: String = "walden", needsEventTriggers: Bool = true, interrupt: Interrupt? = nil
    ) -> [Finding] {
        examine(dsn, publication: publication, interrupt: interrupt).filter { finding in
            finding.blocksCaching && (needsEventTriggers || !ofEventTriggers.contains(finding.id))
        }
    }

    private static let ofEventTriggers: Set<Finding.ID> = [.eventTriggers, .schemaVersion]

    /// Looks at a replica beside its primary.
    public static func examineReplica(
        _ dsn: DSN, of primary: SystemIdentity?, interrupt: Interrupt? = nil
    ) -> Finding {
        let endpoint = dsn.endpoint.description
        do throws(PostgresError) {
            let facts = try NodeFacts.read(try Connection.open(dsn, interrupt: interrupt))
            return Judgement.judgeReplica(facts, endpoint: endpoint, primary: primary)
        } catch {
            return Finding(
                .replica, .warning, "the replica cannot be asked", evidence: "\(endpoint): \(error.message)",
                cure: error.cure ?? "check that it runs with hot_standby = on and admits this role")
        }
    }
}

extension Judgement {
    public static func judgeReplica(_ facts: NodeFacts, endpoint: String, primary: SystemIdentity?) -> Finding {
        if let primary, primary.systemIdentifier != facts.system.systemIdentifier {
            return Finding(
                .replica, .mustFix, "the replica belongs to another cluster",
                evidence: "\(endpoint): system identifier \(facts.system.systemIdentifier), "
                    + "the primary's is \(primary.systemIdentifier)",
                cure: "correct --replica")
        }
        guard facts.isInRecovery else {
            return Finding(
                .replica, .mustFix, "the replica is a primary", evidence: "\(endpoint): pg_is_in_recovery() = false",
                cure: "correct --replica, or rebuild it with pg_rewind or pg_basebackup")
        }
        let delay = facts.replayDelay.map { "\($0.components.seconds) s behind" } ?? "nothing replayed yet"
        if facts.isReplayPaused {
            return Finding(
                .replica, .warning, "the replica does not apply the log", evidence: "\(endpoint): replay is paused",
                cure: "SELECT pg_wal_replay_resume();")
        }
        return Finding(.replica, .ok, "the replica follows", evidence: "\(endpoint): \(delay)")
    }
}
