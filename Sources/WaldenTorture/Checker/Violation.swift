/// A read that should not have been possible.
struct Violation: Hashable, Sendable, CustomStringConvertible {
    enum Kind: String, CaseIterable, Hashable, Sendable {
        /// A version that no transaction wrote.
        case neverWritten = "a version that never was"
        /// A version that was rolled back.
        case rolledBack = "a version that was rolled back"
        /// A version whose commit had not even been asked for.
        case notYetCommitted = "a version before its commit"
        /// The row of this version has another content.
        case wrongContent = "a row that is not as it was written"
        /// A row is missing that was there, in every state that may have been read.
        case missingRow = "a row that is missing"
        /// Level bounded or session: older than `max_staleness`.
        case tooOld = "older than allowed"
        /// Level strict: older than what had been acknowledged, or seen by anybody, before the read began.
        case notLinearizable = "older than what was known before the read began"
        /// The session's own acknowledged write was missed.
        case ownWriteMissed = "the session's own write missed"
        /// Level session or strict: the row is older than the session has seen it before.
        case wentBack = "older than the session has seen it"
        /// Level session or strict: older than a transaction that precedes one which the session has seen.
        case outOfOrder = "older than what precedes what the session has seen"
        /// Half of a transaction within one snapshot.
        case torn = "half of a transaction"
        /// A transaction within one snapshot, and not one that precedes it.
        case mixed = "two states in one snapshot"
        /// An answer that differs from the primary's when all is quiet.
        case staleWhenQuiet = "stale after all had become quiet"
    }

    let kind: Kind
    let detail: String

    var description: String { "\(kind.rawValue): \(detail)" }
}
