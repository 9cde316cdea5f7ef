import WaldenWire

/// Under which number a session's statement is known to pooled servers.
struct StatementNumber: Hashable {
    let value: UInt64
    /// Whether other sessions' statements may have the same; if not, it is this statement's alone.
    let isShared: Bool
    let basis: StatementBasis
}

/// Under what a statement is parsed.
struct StatementOrigin {
    let basis: StatementBasis
    /// What is the same for all sessions for which it would be parsed alike; nil: it is not to be shared.
    let key: [UInt8]?
}

/// What the analysis of a statement by the server rests on, beside its text: constants are read, and names and types
/// found, when it is parsed. A statement that was parsed under other conditions is another statement.
struct StatementBasis: Hashable {
    /// Of the settings tracker: assignments and reports.
    let revision: UInt64
    /// Of the catalog, as far as it is followed.
    let catalog: UInt64
    /// What constants are read by.
    let constants: ConstantReading
}

/// The settings by which input functions read a constant in a statement's text. PostgreSQL reads it once, when the
/// statement is parsed (`parser/parse_coerce.c`, `coerce_type`), so a statement that is parsed again under others may be
/// another one, of the same shape.
struct ConstantReading: Hashable, Sendable {
    /// Those that servers report, then those that only an assignment tells of.
    static let reported = ["DateStyle", "IntervalStyle", "TimeZone"]
    static let assigned = ["array_nulls", "lc_monetary", "timezone_abbreviations", "xmloption"]

    let values: [String]
}

extension PreparedStatement {
    /// Whether its constants are read alike under both: it may hold none that settings have a say in.
    func isRead(alike one: StatementBasis, _ other: StatementBasis) -> Bool {
        one.constants == other.constants || !quotesWhatSettingsRead
    }

    /// Whether a quoted constant may be a date, a time, an interval, an amount of money (none without a digit), an array or
    /// a row (in braces or brackets) or XML. Says yes too often rather than once too seldom.
    private var quotesWhatSettingsRead: Bool {
        quotes { position in
            switch parseMessage[position] {
            case 0x30...0x39, UInt8(ascii: "{"), UInt8(ascii: "("), UInt8(ascii: "<"): true
            default: false
            }
        }
    }

    /// Whether there is a quoted byte of which `isMet` is true, by its position. Quotes by dollars and backslashes are not
    /// read: yes.
    private func quotes(_ isMet: (Int) -> Bool) -> Bool {
        var isQuoted = false
        for position in text {
            switch parseMessage[position] {
            case UInt8(ascii: "'"): isQuoted.toggle()
            case UInt8(ascii: "$") where !isQuoted: if beginsDollarQuote(position) { return true }
            case UInt8(ascii: "\\") where isQuoted: return true
            default: if isQuoted, isMet(position) { return true }
            }
        }
        return false
    }

    /// Parameters go on with a digit.
    private func beginsDollarQuote(_ position: Int) -> Bool {
        position + 1 < text.upperBound && !(0x30...0x39).contains(parseMessage[position + 1])
    }

    /// What is the same for all sessions that may share the statement on a server.
    func key(session: UInt64, catalog: UInt64) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(16 + types.upperBound - text.lowerBound)
        key.appendInteger(session)
        key.appendInteger(catalog)
        key += parseMessage[text.lowerBound..<types.upperBound]
        return key
    }

    /// Whether a constant may stand in the text that means the moment at which it is parsed (`'now'`, `'today'`;
    /// PostgreSQL `utils/adt/datetime.c`), so that the statement is nobody else's. Says yes too often rather than once
    /// too seldom.
    var mentionsMoment: Bool {
        quotes { position in
            let byte = parseMessage[position]
            if byte == UInt8(ascii: "$") { return beginsDollarQuote(position) }
            return Self.beginnings.contains(byte | 0x20)
                && Self.moments.contains { begins(with: $0, at: position, before: text.upperBound) }
        }
    }

    private static let moments = ["now", "today", "tomorrow", "yesterday"].map { Array($0.utf8) }
    private static let beginnings = Set(moments.compactMap(\.first))

    private func begins(with word: [UInt8], at position: Int, before end: Int) -> Bool {
        guard position + word.count <= end else { return false }
        return word.indices.allSatisfy { parseMessage[position + $0] | 0x20 == word[$0] }
    }
}
