import DequeModule
import WaldenCore
import WaldenWire

/// Whether what a session has under way at its server may be a commit. PostgreSQL makes a cancel that meets a commit's
/// wait for its standbys the end of that wait: the commit is told, and no standby need have it.
public enum PendingCommit: Hashable, Sendable {
    /// Nothing of it commits.
    case none
    /// Some of it may: what is no proven read, in a transaction or not, for a text may hold a COMMIT anywhere.
    case possible
    /// The server is at a COMMIT, or about to be.
    case atHand
}

extension SessionMachine {
    public var pendingCommit: PendingCommit {
        guard phase == .ready, !isRelayOnly else { return .possible }
        if isInDoubt { return .atHand }
        guard let first = units.first(where: { !$0.commitsNothing }) else { return .none }
        return first.endsTransaction ? .atHand : .possible
    }

    /// The end of the session, if the notice says that a commit's wait for its standbys has been cut off, by whomever:
    /// what the server says after that is no acknowledgement.
    ///
    /// The text of the notice is in the server's language and has no SQLSTATE of its own; the function that says it is
    /// known by name (PostgreSQL `replication/syncrep.c`).
    func unconfirmedCommit(_ input: borrowing RawSpan, _ body: Range<Int>) throws(WireError) -> ErrorResponse? {
        let notice = try NoticeResponse(in: input, body: body)
        guard notice.fields[.routine] == "SyncRepWaitForLSN" else { return nil }
        return ErrorResponse(
            severity: .fatal, sqlState: .transactionResolutionUnknown,
            message: "the wait for standbys to confirm a commit has been cut off",
            detail: "The server says: \(notice.message). Whether the transaction outlives a failover is not known.")
    }
}

extension Unit {
    /// Its statements are all proven to change nothing, or it is Walden's own.
    fileprivate var commitsNothing: Bool { isHidden || effects.isReadOnly && effects.statementCount > 0 }
}
