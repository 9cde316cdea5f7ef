extension StatusReport {
    /// The document of `/v1/status`. The figures asked for most stand at the top; the parts follow as objects. Names are
    /// the stored properties' in snake case, with their units last.
    public var json: String { jsonDocument.text + "\n" }

    private var jsonDocument: JSON {
        [
            "version": .string(version),
            "uptime_seconds": .number(uptimeSeconds),
            "caching": .bool(caching),
            "reason": .string(orNull: reason),
            "reasons": .array(
                reasons.map { ["source": .string($0.source), "reason": .string($0.reason)] }),
            "hits": .whole(cache.hits),
            "misses": .whole(cache.misses),
            "stale": .whole(cache.stale),
            "bypasses": .counts(cache.bypasses),
            "invalidations": .counts(cache.invalidations),
            "entries": .count(cache.entries),
            "bytes": .count(cache.bytes),
            "cache": cache.json,
            "stream": stream.json,
            "control": control.json,
            "proxy": proxy.json,
            "nodes": .array(nodes.map(\.json)),
            "slots": .array(slots.map(\.json)),
            "routing": routing.json,
            "failover": failover?.json ?? .null,
            "findings": .array(findings.map(JSON.string)),
        ]
    }
}

extension StatusReport {
    /// One figure: its name, what is counted apart under it, and its value as the document writes it.
    public struct Figure: Hashable, Sendable {
        public let name: String
        public let label: String?
        public let value: String?
    }

    /// The cache's part of the document, and what of it stands at the top, figure by figure.
    public var cacheFigures: [Figure] {
        let top = ["caching", "reason", "hits", "misses", "stale", "bypasses", "invalidations", "entries", "bytes"]
        return top.flatMap { figures($0, jsonDocument[$0]) }
            + cache.json.members.flatMap { figures($0.name, $0.value) }
    }

    private func figures(_ name: String, _ value: JSON) -> [Figure] {
        switch value {
        case .array: []
        case .object(let members): members.map { Figure(name: name, label: $0.name, value: $0.value.plain) }
        default: [Figure(name: name, label: nil, value: value.plain)]
        }
    }
}

extension JSON {
    fileprivate var members: [Member] {
        if case .object(let members) = self { members } else { [] }
    }

    fileprivate subscript(_ name: String) -> JSON { members.first { $0.name == name }?.value ?? .null }

    /// A scalar without quotation marks; nil for null.
    fileprivate var plain: String? {
        switch self {
        case .null: nil
        case .string(let text): text
        default: text
        }
    }
}

extension CacheReport {
    /// What does not stand at the top of the document already.
    fileprivate var json: JSON {
        [
            "level": .string(level),
            "max_staleness_seconds": .number(maxStalenessSeconds),
            "suspended_lookups": .whole(suspendedLookups),
            "outage_hits": .whole(outageHits),
            "frozen_seconds": frozenSeconds.map { .number($0) } ?? .null,
            "fills_begun": .whole(fillsBegun),
            "fills_kept": .whole(fillsKept),
            "fills_refused": .counts(fillsRefused),
            "fills_tainted": .counts(fillsTainted),
            "fills_abandoned": .counts(fillsAbandoned),
            "pending_fills": .count(pendingFills),
            "max_bytes": .count(maxBytes),
            "recent_transactions": .count(recentTransactions),
            "recent_changes": .count(recentChanges),
            "shapes": .count(shapes),
            "declined_shapes": .count(declinedShapes),
            "forgotten_shapes": .whole(forgottenShapes),
            "saved_seconds": .number(savedSeconds),
            "quarantined_shapes": .count(quarantinedShapes),
            "audits": .whole(audits),
            "audit_mismatches": .whole(auditMismatches),
            "audits_given_up": .whole(auditsGivenUp),
            "audits_postponed": .whole(auditsPostponed),
            "top_shapes": .array(topShapes.map(\.summary)),
        ]
    }
}

extension StreamReport {
    fileprivate var json: JSON {
        [
            "state": .string(state),
            "slot": .string(orNull: slot),
            "position": .string(position),
            "watermark": .string(watermark),
            "lag_bytes": .whole(lagBytes),
            "lag_seconds": .number(lagSeconds),
            "transactions": .whole(transactions),
            "row_changes": .whole(rowChanges),
            "messages": .whole(messages),
            "bytes": .whole(bytes),
            "starts": .whole(starts),
            "losses": .whole(losses),
            "last_loss": .string(orNull: lastLoss),
            "timeline": .whole(UInt64(timeline)),
            "system_identifier": .string(systemIdentifier),
        ]
    }
}

extension ControlReport {
    fileprivate var json: JSON {
        [
            "probes": .whole(probes),
            "heartbeats": .whole(heartbeats),
            "problem": .string(orNull: problem),
        ]
    }
}

extension ProxyReport {
    fileprivate var json: JSON {
        [
            "listening": .array(listening.map(JSON.string)),
            "certificates": .array(
                certificates.map {
                    ["shown_to": .string($0.shownTo), "expires_in_seconds": .number(Double($0.remainingSeconds))]
                }),
            "primary": .string(primary),
            "primary_problem": .string(orNull: primaryProblem),
            "clients": .count(clients),
            "accepted": .whole(accepted),
            "closed": .counts(closed),
            "authentications": .counts(authentications),
            "authenticating": .count(authenticating),
            "pool": pool.json,
            "cancel_requests": .whole(cancelRequests),
            "cancel_requests_forwarded": .whole(cancelRequestsForwarded),
            "cancels_withheld": .whole(cancelsWithheld),
            "commits_in_doubt": .counts(commitsInDoubt),
            "coalesced": .whole(coalesced),
            "local_answers": .whole(localAnswers),
            "waits": .counts(waits),
            "bytes_from_clients": .whole(bytesFromClients),
            "bytes_from_servers": .whole(bytesFromServers),
        ]
    }
}

extension PoolReport {
    fileprivate var json: JSON {
        [
            "links": .counts(links),
            "waiting": .count(waiting),
            "longest_wait_seconds": .number(longestWaitSeconds),
            "opened": .whole(opened),
            "closed": .whole(closed),
            "login_failures": .whole(loginFailures),
        ]
    }
}
