import DequeModule
import WaldenCore
import WaldenWire

/// Reads that were under way when the primary was lost: run again on the one that takes its place.
extension SessionMachine {
    /// The step for the first answer to a read at the primary that could be run again, or to a COMMIT that could be asked
    /// for; nil: it is as any.
    ///
    /// What a server says because it is going down is nothing that the client has to know. An error that answers a COMMIT
    /// tells its outcome, whatever it is raised for.
    mutating func unansweredStep(_ input: borrowing RawSpan) throws(WireError) -> ServerStep? {
        guard let header = try MessageHeader.parse(input, at: 0, limit: limits.messageBytes) else { return .needMore }
        let tag = BackendTag(rawValue: header.tag)
        let mayBeFarewell = tag == .noticeResponse || tag == .errorResponse && pooled?.unansweredCommit == nil
        if mayBeFarewell, header.byteCount <= limits.heldBytes {
            if header.byteCount > input.byteCount { return .needMore }
            if try saysFarewell(tag, input, header.body(at: 0)) { return .swallow(byteCount: header.byteCount) }
        }
        units[0].unansweredRead = nil
        pooled?.unansweredCommit = nil
        return nil
    }

    /// By FATAL in an orderly shutdown, by WARNING where another process of the server has crashed (PostgreSQL
    /// `tcop/postgres.c`, `quickdie`).
    private func saysFarewell(
        _ tag: BackendTag, _ input: borrowing RawSpan, _ body: Range<Int>
    ) throws(WireError) -> Bool {
        let fields =
            tag == .errorResponse
            ? try ErrorResponse(in: input, body: body).fields : try NoticeResponse(in: input, body: body).fields
        return Self.isFarewell(fields)
    }

    static func isFarewell(_ fields: ResponseFields) -> Bool {
        guard let state = fields.sqlState, farewells.contains(state) else { return false }
        return fields.severity != .error
    }

    private static let farewells: Set<SQLState> = [.adminShutdown, .crashShutdown, .cannotConnectNow]
}
