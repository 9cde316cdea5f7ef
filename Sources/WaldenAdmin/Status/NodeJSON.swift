extension NodeReport {
    var json: JSON {
        [
            "name": .string(name),
            "role": .string(role),
            "reachable": .bool(reachable),
            "problem": .string(orNull: problem),
            "obstacle": .string(orNull: obstacle),
            "received_lsn": .string(orNull: receivedLSN),
            "flushed_lsn": .string(orNull: flushedLSN),
            "replayed_lsn": .string(orNull: replayedLSN),
            "lag_bytes": lagBytes.map(JSON.whole) ?? .null,
            "lag_seconds": lagSeconds.map(JSON.number) ?? .null,
            "peak_lag_bytes": peakLagBytes.map(JSON.whole) ?? .null,
            "peak_lag_seconds": peakLagSeconds.map(JSON.number) ?? .null,
            "covered_seconds": coveredSeconds.map(JSON.number) ?? .null,
            "timeline": .whole(UInt64(timeline)),
            "receiver": .string(orNull: receiver),
            "slot": .string(orNull: slot),
            "reads": .whole(reads),
            "outstanding": .count(outstanding),
        ]
    }
}

extension SlotReport {
    var json: JSON {
        [
            "name": .string(name),
            "logical": .bool(isLogical),
            "active": .bool(isActive),
            "retained_bytes": retainedBytes.map(JSON.whole) ?? .null,
            "state": .string(orNull: state),
        ]
    }
}

extension RoutingReport {
    var json: JSON {
        [
            "on": .bool(isOn),
            "replica": .counts(replica),
            "primary": .counts(primary),
            "refused": .counts(refused),
            "waited": .whole(waited),
            "settled": .whole(settled),
            "unsettled": .whole(unsettled),
            "waiting": .count(waiting),
        ]
    }
}

/// How far a standby was behind at one moment.
public struct LagPointReport: Hashable, Sendable {
    public var secondsAgo = 0.0
    /// Nil, as the next, while the standby could not be used.
    public var lagBytes: UInt64?
    public var lagSeconds: Double?

    public init() {}

    /// The document of `/lag`: by node the last ten minutes, oldest first.
    static func document(_ histories: [(node: String, points: [LagPointReport])]) -> String {
        let nodes = histories.map { history in
            JSON.Member(name: history.node, value: .array(history.points.map(\.json)))
        }
        return JSON.object(nodes).text + "\n"
    }

    private var json: JSON {
        [
            "seconds_ago": .number(secondsAgo),
            "lag_bytes": lagBytes.map(JSON.whole) ?? .null,
            "lag_seconds": lagSeconds.map(JSON.number) ?? .null,
        ]
    }
}
