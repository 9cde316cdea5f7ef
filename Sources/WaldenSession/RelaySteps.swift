import DequeModule
import WaldenCore
import WaldenWire

extension SessionMachine {
    /// The client's side where nothing is ever cached: only the ends of units matter, so all whole messages at the
    /// front go as one step.
    mutating func relayStep(_ first: MessageHeader, _ input: borrowing RawSpan) -> ClientStep {
        var position = 0
        var next: MessageHeader? = first
        while let header = next {
            if let obstacle = noteRelayed(header) {
                return position > 0 ? .forward(byteCount: position, bypass: nil) : obstacle
            }
            position += header.byteCount
            if position >= input.byteCount {
                clientSkip = position - input.byteCount
                return .forward(byteCount: input.byteCount, bypass: nil)
            }
            // What is malformed stands at the front once the messages before it are gone, and is told then.
            next = try? MessageHeader.parse(input, at: position, limit: limits.messageBytes)
        }
        return .forward(byteCount: position, bypass: nil)
    }

    /// Notes what a message means for the order of units; the step instead when it may not pass now.
    private mutating func noteRelayed(_ header: MessageHeader) -> ClientStep? {
        let tag = FrontendTag(rawValue: header.tag)
        switch tag {
        case .query, .functionCall:
            if units.count >= limits.unitsUnderWay { return .drain }
            pushQuery(fill: nil)
        case .parse, .bind, .describe, .execute, .close, .flush, .sync:
            if !isUnitOpen, units.count >= limits.unitsUnderWay { return .drain }
            openUnit()
            if tag == .sync { syncSent() }
        case .copyDone, .copyFail:
            if !units.isEmpty { units[units.count - 1].copyEnded = true }
        case .copyData: break
        // The header is there; a longer Terminate is not waited for.
        case .terminate: return .terminate(byteCount: MessageHeader.byteCount)
        default: return .violation(WireError(.unknownTag(header.tag)))
        }
        return nil
    }
}
