import WaldenTestKit

/// What each client of a script saw, in its order. Between clients there is none.
struct Trace: Equatable, Sendable {
    enum Event: Hashable, Sendable {
        case message(BackendMessage)
        case byte(UInt8)
        /// The peer closed the connection.
        case end
        /// Nothing that was expected came; the play ends here.
        case failure(String)
    }

    private(set) var events: [String: [Event]] = [:]
    /// The first thing that went otherwise than the script expects.
    private(set) var failure: String?

    mutating func add(_ event: Event, of client: String) {
        events[client, default: []].append(event)
        if case .failure(let reason) = event, failure == nil { failure = "\(client): \(reason)" }
    }

    /// The first place where a client saw something else than in the reference, both sides shown; nil when there is none.
    ///
    /// Not compared is what differs between any two sessions: the bytes of cancel keys, the process number in
    /// NotificationResponse, and what the masks name.
    func difference(from reference: Trace, _ masks: Set<Mask> = []) -> String? {
        // The play ends at the first failure, and for the others too early.
        let failed = failure.map { String($0.prefix { $0 != ":" }) }
        let others = Set(events.keys).union(reference.events.keys).subtracting([failed].compactMap(\.self))
        for client in [failed].compactMap(\.self) + others.sorted() {
            var (ours, theirs) = (events[client] ?? [], reference.events[client] ?? [])
            if masks.contains(.statusOrder) { (ours, theirs) = (Self.ordered(ours), Self.ordered(theirs)) }
            let common = zip(ours, theirs).prefix { $0.equals($1, masks) }.count
            if common == ours.count, common == theirs.count { continue }
            if masks.contains(.refusal), Self.isRefused(ours[common...], ours[..<common], theirs[common...]) {
                continue
            }
            return """
                \(client) saw after \(common) equal events:
                \(Self.shown(theirs, from: common, side: "PostgreSQL"))
                \(Self.shown(ours, from: common, side: "Walden"))
                """
        }
        return nil
    }

    /// With each run of ParameterStatus in the order of its bytes.
    private static func ordered(_ events: [Event]) -> [Event] {
        var ordered: [Event] = []
        var run: [BackendMessage] = []
        for event in events {
            if case .message(let message) = event, message.tag == "S" {
                run.append(message)
                continue
            }
            ordered += run.sorted { $0.body.lexicographicallyPrecedes($1.body) }.map(Event.message) + [event]
            run = []
        }
        return ordered + run.sorted { $0.body.lexicographicallyPrecedes($1.body) }.map(Event.message)
    }

    /// Whether the connection was closed behind an error, or with an error where PostgreSQL closed without one.
    private static func isRefused(
        _ ours: ArraySlice<Event>, _ before: ArraySlice<Event>, _ theirs: ArraySlice<Event>
    ) -> Bool {
        if before.last?.isFatal ?? false { return ours.first == .end }
        return ours.first?.isFatal ?? false && ours.dropFirst().first == .end && theirs.first == .end
    }

    private static func shown(_ events: [Event], from start: Int, side: String) -> String {
        let shown = events.dropFirst(start).prefix(6).enumerated().map { index, event in
            index == 0 ? event.exact : event.description
        }
        let lines = shown.isEmpty ? ["nothing more"] : shown
        return lines.map { "      \(side): \($0)" }.joined(separator: "\n")
    }

    /// All of it, for people.
    var transcript: String {
        events.sorted { $0.key < $1.key }.flatMap { client, events in events.map { "      \(client) < \($0)" } }
            .joined(separator: "\n")
    }
}

extension Trace.Event: CustomStringConvertible {
    var description: String {
        switch self {
        case .message(let message): String(message.description.prefix(200))
        case .byte(let byte): "byte \(Unicode.Scalar(byte))"
        case .end: "the connection closed"
        case .failure(let reason): "failed: \(reason)"
        }
    }

    /// With every byte of a short message.
    var exact: String {
        guard case .message(let message) = self else { return description }
        let body = message.body.prefix(160).map { byte in
            (0x20..<0x7F).contains(byte) ? String(Unicode.Scalar(byte)) : "\\x" + String(byte, radix: 16)
        }
        return "\(description)  [\(message.body.count) bytes: \(body.joined())]"
    }

    var isFatal: Bool {
        guard case .message(let message) = self, message.tag == "E" else { return false }
        return message.fields["V"] == "FATAL"
    }

    func equals(_ other: Self, _ masks: Set<Mask>) -> Bool {
        masked(masks) == other.masked(masks)
    }

    private func masked(_ masks: Set<Mask>) -> Self {
        guard case .message(let message) = self else { return self }
        switch message.tag {
        case "K": return .message(message.zeroed(0..<message.body.count))
        case "A": return .message(message.zeroed(0..<4))
        case "E" where masks.contains(.refusal), "N" where masks.contains(.notices):
            let fields = message.fields
            return .message(
                BackendMessage(tag: message.tag, body: Array("\(fields["C"] ?? "") \(fields["M"] ?? "")".utf8)))
        case "E" where masks.contains(.places):
            let fields = message.fields.filter { !["F", "L", "R"].contains($0.key) }.sorted { $0.key < $1.key }
            let text = fields.map { "\($0.key)\($0.value)" }.joined(separator: "\n")
            return .message(BackendMessage(tag: "E", body: Array(text.utf8)))
        case "E" where masks.contains(.numbers), "N" where masks.contains(.numbers):
            return .message(message.withoutNumbers)
        case "T" where masks.contains(.tables): return .message(message.withoutTables)
        default: return self
        }
    }
}

extension BackendMessage {
    fileprivate func zeroed(_ range: Range<Int>) -> BackendMessage {
        var body = self.body
        for index in range.clamped(to: 0..<body.count) { body[index] = 0 }
        return BackendMessage(tag: tag, body: body)
    }

    /// Each run of digits as one `#`, but the SQLSTATE's.
    fileprivate var withoutNumbers: BackendMessage {
        var masked: [UInt8] = []
        for field in body.split(separator: 0, omittingEmptySubsequences: false) {
            if !masked.isEmpty { masked.append(0) }
            guard field.first != UInt8(ascii: "C") else {
                masked += field
                continue
            }
            for byte in field {
                let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                if !isDigit { masked.append(byte) } else if masked.last != UInt8(ascii: "#") { masked.append(0x23) }
            }
        }
        return BackendMessage(tag: tag, body: masked)
    }

    /// RowDescription with zero for each column's table.
    fileprivate var withoutTables: BackendMessage {
        var body = self.body
        var offset = 2
        while offset < body.count, let end = body[offset...].firstIndex(of: 0), end + 18 < body.count {
            for index in (end + 1)...(end + 4) { body[index] = 0 }
            offset = end + 19
        }
        return BackendMessage(tag: tag, body: body)
    }
}
