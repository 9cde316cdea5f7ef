import DequeModule
import WaldenCore
import WaldenWire

/// DEALLOCATE of a statement of the protocol, which the server knows by another name (docs/adr/0043).
extension SessionMachine {
    /// The statement of the protocol that a unit offered is to deallocate.
    func deallocated(_ candidate: Candidate, _ input: borrowing RawSpan) -> [UInt8]? {
        guard isPooled else { return nil }
        let name: [UInt8]?
        switch candidate.source {
        case .query(let text): name = Deallocation.name(text, in: input)
        case .execution(let statement, _):
            let message = statement.parseMessage
            name = Deallocation.name(statement.text, in: message.span.bytes)
        }
        guard let name, statements.contains(0..<name.count, in: name.span.bytes) else { return nil }
        return name
    }

    /// The server gets to know its name, in the last unit: what it is does not matter any more.
    mutating func provideDeallocated(_ name: [UInt8]) {
        if renames { return takeName(name) }
        if let statement = statements.find(0..<name.count, in: name.span.bytes) { takeOwnName(of: statement) }
    }

    /// The same ahead of a Query.
    mutating func provideDeallocatedBeforeQuery(_ name: [UInt8]) {
        units.append(Unit(isExtended: true, isHidden: true))
        let before = injection.count
        provideDeallocated(name)
        endPreparation(since: before)
    }
}

/// `DEALLOCATE [PREPARE] name`, read off the bytes.
private enum Deallocation {
    static func name(_ text: Range<Int>, in bytes: borrowing RawSpan) -> [UInt8]? {
        guard text.count <= TransactionCommand.textLimit else { return nil }
        var words = CommandWords(text)
        guard words.skip("deallocate", in: bytes) else { return nil }
        if words.skip("all", in: bytes) { return nil }
        _ = words.skip("prepare", in: bytes)
        guard let name = words.identifier(in: bytes), words.isAtEnd(in: bytes), name != Array("all".utf8) else {
            return nil
        }
        return name
    }
}
