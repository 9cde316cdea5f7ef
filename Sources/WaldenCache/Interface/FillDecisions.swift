/// Names one fill; never used twice.
public struct FillID: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    init(slot: Int32, generation: UInt32) {
        rawValue = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: slot))
    }

    var slot: Int32 { Int32(truncatingIfNeeded: rawValue) }
    var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
}

/// What a request that missed is to do.
public enum FillDecision: Hashable, Sendable {
    /// Send the query now, not earlier, capture its reply and call `completeFill` or `abandonFill`.
    case fill(FillID)
    /// An identical query is under way and began late enough: `addWaiter`, or else go on alone.
    case join(FillID)
    /// Send the query, keep nothing.
    case refused(FillRefusal)
}

/// Why a result is not even captured.
public enum FillRefusal: Int, Hashable, Sendable, CaseIterable {
    /// Nothing is served at present (`Suspension`).
    case suspended
    /// No probe has completed since the stream started, so there is no horizon.
    case noHorizon
    /// The statement was analysed under a catalog that has changed, or that has not been read since the stream started
    /// or since it told of a change.
    case catalogChanged
    case tooManyFills
    /// The standby lacks a change of the catalog, or more than is remembered of what it lacks.
    case standbyTooOld
    /// An identical fill is under way that the request may not join (it began too early, or is already answered).
    case identicalUnderWay
    /// Another request's fill became servable meanwhile.
    case alreadyServable
    /// Keeping results of this statement shape has cost more than it saved.
    case doesNotPay
    /// A rule of the configuration says so.
    case forbidden
    /// An audit found a kept result of the statement's shape wrong.
    case quarantined

    public var label: String {
        switch self {
        case .suspended: "suspended"
        case .noHorizon: "no_horizon"
        case .catalogChanged: "catalog_changed"
        case .tooManyFills: "too_many_fills"
        case .standbyTooOld: "standby_too_old"
        case .identicalUnderWay: "identical_under_way"
        case .alreadyServable: "already_servable"
        case .doesNotPay: "does_not_pay"
        case .forbidden: "forbidden"
        case .quarantined: "quarantined"
        }
    }
}

/// Why a captured result may not be kept. It is a right answer all the same: as of the fill's start.
public enum Taint: Int, Hashable, Sendable, CaseIterable {
    /// A transaction that the query may not have seen changed a row it depends on.
    case row
    /// The same, but as far as the stream tells: the old row was not sent in full.
    case unknownOldRow
    /// The transaction truncated a relation or changed very much of it.
    case wholeRelation
    /// An applied transaction that the fill's horizon does not cover affects it.
    case recentTransaction
    /// The recent list overflowed and a forgotten transaction may affect it.
    case recentListOverflow
    case catalogChanged
    /// The stream was lost while it ran.
    case gap
    case flush
    /// Results waiting to become servable took too much memory.
    case crowdedOut
    /// An audit found a kept result of the statement's shape wrong.
    case quarantined

    public var label: String {
        switch self {
        case .row: "row"
        case .unknownOldRow: "unknown_old_row"
        case .wholeRelation: "whole_relation"
        case .recentTransaction: "recent_transaction"
        case .recentListOverflow: "recent_list_overflow"
        case .catalogChanged: "catalog_changed"
        case .gap: "gap"
        case .flush: "flush"
        case .crowdedOut: "crowded_out"
        case .quarantined: "quarantined"
        }
    }
}

/// Why the caller gave a fill up.
public enum FillAbandonment: Int, Hashable, Sendable, CaseIterable {
    /// The reply outgrew `maxResultBytes`.
    case tooLarge
    /// The server answered with an error.
    case error
    /// Cancelled, or a portal that was not read to its end.
    case incomplete
    /// The client or the server connection went away.
    case connectionLost

    public var label: String {
        switch self {
        case .tooLarge: "too_large"
        case .error: "error"
        case .incomplete: "incomplete"
        case .connectionLost: "connection_lost"
        }
    }
}

public struct FillCompletion: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        /// Kept; servable once the watermark has passed a probe made from now on.
        case pendingVisibility
        case tainted(Taint)
        case tooLarge
        /// No such fill.
        case gone
    }

    public let outcome: Outcome
    /// To be answered with the payload, tainted or not.
    public let waiters: [UInt64]
    /// Whether the prober has something new to do.
    public let wantsProbe: Bool
}
