import WaldenCore
import WaldenWire

/// Errors that tell that a statement on a pooled server is not what a session takes it for.
enum StaleStatements {
    /// Gives the statements that the error is about new numbers.
    static func forget(_ error: ErrorResponse, in machine: inout SessionMachine) {
        guard let pooled = machine.pooled, let server = pooled.server else { return }
        if error.sqlState == .invalidSQLStatementName {
            // Something has dropped it: SQL within a function, say. It is prepared again when it is next needed.
            for number in numbers(in: Array(error.message.utf8)) { server.statements.left(number) }
        } else if isStalePlan(error) {
            // A session that prepares the text now, or this one again, must get what the text means now.
            for statement in machine.statements.all {
                if let key = statement.number?.key { pooled.pooling.statements.forget(key) }
                statement.number = nil
            }
        }
    }

    /// PostgreSQL `utils/cache/plancache.c`: the text has other result columns now than when it was parsed. The message
    /// is translated, the routine is not.
    private static func isStalePlan(_ error: ErrorResponse) -> Bool {
        error.sqlState == .featureNotSupported && error.fields[.routine] == "RevalidateCachedQuery"
    }

    /// The numbers of Walden's names within a text.
    private static func numbers(in text: [UInt8]) -> [UInt64] {
        var result: [UInt64] = []
        RenamedText.scan(text) { name in
            if case .number(let number) = name { result.append(number) }
        } copy: { _ in
        }
        return result
    }
}

/// A server's text that may name statements by Walden's names.
enum RenamedText {
    enum Name: Hashable {
        case number(UInt64)
        /// What follows is a name of the client's.
        case foreign
    }

    /// Walks over `text` and hands out its names of Walden's and the bytes between them, in order.
    static func scan(_ text: [UInt8], name: (Name) -> Void, copy: (ArraySlice<UInt8>) -> Void) {
        let prefix = Array(ServerStatements.prefix.utf8)
        var start = 0
        var position = 0
        while position + prefix.count < text.count {
            guard text[position] == prefix[0], text[position..<(position + prefix.count)].elementsEqual(prefix) else {
                position += 1
                continue
            }
            var end = position + prefix.count
            var number: UInt64 = 0
            var isNumber = false
            while end < text.count, (0x30...0x39).contains(text[end]), number < UInt64.max / 100 {
                number = number * 10 + UInt64(text[end] - 0x30)
                isNumber = true
                end += 1
            }
            let isForeign = number == 0 && end < text.count && text[end] == UInt8(ascii: "_")
            guard isNumber, isForeign || number > 0 else {
                position += prefix.count
                continue
            }
            copy(text[start..<position])
            name(isForeign ? .foreign : .number(number))
            start = isForeign ? end + 1 : end
            position = start
        }
        copy(text[start...])
    }
}

extension SessionMachine {
    /// An ErrorResponse that names statements by Walden's names, with the client's in their place; nil when it does not.
    func translated(_ input: borrowing RawSpan, message: Range<Int>) -> [UInt8]? {
        guard renames, input.contains(ServerStatements.prefix, in: message) else { return nil }
        let body = input.copy((message.lowerBound + MessageHeader.byteCount)..<message.upperBound)
        var result: [UInt8] = []
        var changed = false
        RenamedText.scan(body) { name in
            changed = true
            if case .number(let number) = name {
                result += clientName(of: number) ?? Array(ServerStatements.name(number).utf8)
            }
        } copy: { part in
            result += part
        }
        guard changed else { return nil }
        var bytes: [UInt8] = []
        MessageWriter.append(tag: BackendTag.errorResponse.rawValue, into: &bytes) { $0 += result }
        return bytes
    }

    /// By which name the client knows the statement of that number: the one last used, if several.
    private func clientName(of number: UInt64) -> [UInt8]? {
        if let unit = units.first {
            if unit.lastRenamed?.number?.value == number { return unit.lastRenamed?.name }
            for parse in unit.pendingParses.reversed() where parse.arrival == .renamed(number) {
                return parse.statement?.name
            }
        }
        return statements.all.first { $0.number?.value == number }?.name
    }
}

extension RawSpan {
    /// Whether the bytes of `word` stand anywhere in `range`.
    func contains(_ word: String, in range: Range<Int>) -> Bool {
        let wanted = Array(word.utf8)
        guard range.count >= wanted.count, let first = wanted.first else { return false }
        for start in range.lowerBound...(range.upperBound - wanted.count)
        where byte(at: start) == first && holds(wanted, at: start..<(start + wanted.count)) { return true }
        return false
    }

    func begins(with word: String, at range: Range<Int>) -> Bool {
        let wanted = Array(word.utf8)
        guard range.count >= wanted.count else { return false }
        return holds(wanted, at: range.lowerBound..<(range.lowerBound + wanted.count))
    }
}
