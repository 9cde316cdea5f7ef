public import WaldenWire

/// The unit at the front is dropped and its client told why.
public struct FrontRefusal: Equatable, Sendable {
    public let byteCount: Int
    /// ErrorResponse and ReadyForQuery.
    public let answer: [UInt8]
}

extension SessionMachine {
    /// Whether the server owes an answer.
    public var hasUnitsUnderWay: Bool { !units.isEmpty }

    /// Refuses the unit at the front of the client's unread bytes, of which nothing has been sent yet: a Query, or all to
    /// the Sync. Nil when it is not complete, or a transaction is open for the client, which only its end could end.
    public func refuseFront(_ input: borrowing RawSpan, _ error: ErrorResponse) -> FrontRefusal? {
        guard units.isEmpty, !isUnitOpen, clientSkip == 0, shownStatus == .idle, !isInDoubt else { return nil }
        var position = 0
        while let header = try? MessageHeader.parse(input, at: position, limit: limits.heldBytes) {
            let end = position + header.byteCount
            guard end <= input.byteCount else { return nil }
            let tag = FrontendTag(rawValue: header.tag)
            if tag == .sync || (tag == .query && position == 0) {
                return FrontRefusal(byteCount: end, answer: error.encoded() + ReadyForQuery(.idle).encoded())
            }
            position = end
        }
        return nil
    }
}
