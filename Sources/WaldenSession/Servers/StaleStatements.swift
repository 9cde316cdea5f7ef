import DequeModule
import WaldenCore
import WaldenWire

/// Statements on pooled servers that are not what a session takes them for.
enum StaleStatements {
    /// Forgets the statements that an error says the server does not have.
    static func forget(_ error: ErrorResponse, on server: ServerSession) {
        guard error.sqlState == .invalidSQLStatementName else { return }
        // Something has dropped it: SQL within a function, say. It is prepared again when it is next needed.
        RenamedText.scan(Array(error.message.utf8)) { name in
            if case .serial(let serial) = name { server.statements.left(serial) }
        } copy: { _ in
        }
    }

    /// What PostgreSQL says of a statement whose result would be another than when it was parsed (`plancache.c`,
    /// `RevalidateCachedQuery`).
    ///
    /// - Parameter provoked: The server's error in whose place the client gets it.
    static func changedResult(_ provoked: ErrorResponse?) -> ErrorResponse {
        let severity = provoked?.fields[.localizedSeverity] ?? ResponseFields.Severity.error.rawValue
        return ErrorResponse(
            ResponseFields(fields: [
                .init(.localizedSeverity, severity), .init(.severity, ResponseFields.Severity.error.rawValue),
                .init(.sqlState, SQLState.featureNotSupported.code),
                .init(.message, "cached plan must not change result type"), .init(.file, "plancache.c"),
                .init(.routine, "RevalidateCachedQuery"),
            ]))
    }
}

/// A server's text that may name statements by Walden's names.
enum RenamedText {
    enum Name: Hashable {
        case serial(UInt64)
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
            name(isForeign ? .foreign : .serial(number))
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
            if case .serial(let serial) = name {
                result += clientName(of: serial) ?? Array(ServerStatements.name(serial).utf8)
            }
        } copy: { part in
            result += part
        }
        guard changed else { return nil }
        var bytes: [UInt8] = []
        MessageWriter.append(tag: BackendTag.errorResponse.rawValue, into: &bytes) { $0 += result }
        return bytes
    }

    /// By which name the client knows the statement of that serial: the one last used, if several.
    private func clientName(of serial: UInt64) -> [UInt8]? {
        if !units.isEmpty {
            if let last = units[0].lastRenamed, last.serial == serial { return last.statement.name }
            for parse in units[0].pendingParses.reversed() where parse.arrival == .renamed(serial) {
                if let statement = parse.statement { return statement.name }
            }
        }
        guard let number = pooled?.server?.statements.number(of: serial) else { return nil }
        return statements.all.first { $0.number?.value == number || $0.standIn?.value == number }?.name
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
