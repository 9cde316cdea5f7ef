import WaldenCore
import WaldenDecoding

/// A stream as text: one frame a line, and after a line that completes something, what came out, behind `>`.
///
///     relation 1 t id* v            columns; * marks the key; `full`, `index` or `nothing` before them the identity
///     begin 5 @100
///     insert 1 7 null               values as text; `null`, `toast` and x'…' as they are
///     update 1 key 7 ~ new 8 a      also `old …`; ~ is sent as null
///     9: delete 1 key 7 ~           of subtransaction 9, within a chunk
///     commit @100 120               position and end
///     > transaction 5 @100..120 of 3
///     > insert public.t ('7', null)
///
/// `run` gives the lines back with the output that there was, so that a script equals its own run, or the difference
/// shows what is wrong.
struct StreamScript {
    struct Unreadable: Error {
        let line: String
    }

    private(set) var decoder: StreamDecoder
    private var names: [UInt32: String] = [:]

    init(version: Int = 4, limits: StreamLimits = StreamLimits(), messagePrefix: String? = nil) {
        decoder = StreamDecoder(protocolVersion: version, limits: limits, messagePrefix: messagePrefix)
    }

    mutating func run(_ script: String) throws -> String {
        var output: [String] = []
        for line in script.split(separator: "\n", omittingEmptySubsequences: false) where !line.hasPrefix(">") {
            output.append(String(line))
            let words = line.split(separator: " ").map(String.init)
            guard !words.isEmpty, words[0] != "#" else { continue }
            let bytes = try Self.frame(words, line: String(line), names: &names)
            do {
                output += describe(try decoder.decode(bytes.span.bytes)).map { "> " + $0 }
            } catch {
                output.append("> error \(error)")
            }
        }
        return output.joined(separator: "\n")
    }

    private func describe(_ event: StreamEvent?) -> [String] {
        switch event {
        case nil: return []
        case .progress(let lsn): return ["progress \(lsn.rawValue)"]
        case .keepalive(let end, let replyRequested):
            return ["keepalive \(end.rawValue)" + (replyRequested ? " reply" : "")]
        case .transaction(let transaction):
            let head =
                "transaction \(transaction.xid) @\(transaction.commitLSN.rawValue)..\(transaction.endLSN.rawValue)"
                + " of \(transaction.changeCount)"
            return [head] + Rendering.contents(transaction) { names[$0.rawValue] ?? "relation \($0)" }
        }
    }
}

// MARK: - Reading lines

extension StreamScript {
    private static func frame(
        _ words: [String], line: String, names: inout [UInt32: String]
    ) throws -> [UInt8] {
        var words = words
        var xid: UInt32?
        if words[0].hasSuffix(":") { xid = UInt32(words.removeFirst().dropLast()) }
        var arguments = Arguments(words: Array(words.dropFirst()), line: line)
        if words[0] == "keepalive" {
            return MessageEncoder.keepalive(try arguments.number(), replyRequested: arguments.flag("reply"))
        }
        if words[0] == "frame" { return try arguments.hex() }
        if words[0] == "relation" { return MessageEncoder.frame(try arguments.relation(xid: xid, names: &names)) }
        let message =
            try transactionMessage(words[0], &arguments) ?? contentMessage(words[0], &arguments, xid: xid)
        guard let message, arguments.isAtEnd else { throw Unreadable(line: line) }
        return MessageEncoder.frame(message)
    }

    private static func transactionMessage(_ command: String, _ next: inout Arguments) throws -> [UInt8]? {
        typealias Encoder = MessageEncoder
        switch command {
        case "begin": return Encoder.begin(xid: try next.number(), final: try next.number())
        case "commit": return Encoder.commit(at: try next.number(), end: try next.number())
        case "start": return Encoder.streamStart(xid: try next.number(), first: next.flag("first"))
        case "stop": return Encoder.streamStop()
        case "streamcommit":
            return Encoder.streamCommit(xid: try next.number(), at: try next.number(), end: try next.number())
        case "abort":
            return Encoder.streamAbort(
                xid: try next.number(), subtransaction: try next.number(), at: try next.optionalNumber())
        case "beginprepare":
            return Encoder.beginPrepare(
                xid: try next.number(), gid: try next.word(), at: try next.number(), end: try next.number())
        case "prepare":
            return Encoder.prepare(
                xid: try next.number(), gid: try next.word(), at: try next.number(), end: try next.number())
        case "streamprepare":
            return Encoder.streamPrepare(
                xid: try next.number(), gid: try next.word(), at: try next.number(), end: try next.number())
        case "commitprepared":
            return Encoder.commitPrepared(
                xid: try next.number(), gid: try next.word(), at: try next.number(), end: try next.number())
        case "rollbackprepared":
            return Encoder.rollbackPrepared(
                xid: try next.number(), gid: try next.word(), prepareEnd: try next.number(), end: try next.number())
        default: return nil
        }
    }

    private static func contentMessage(
        _ command: String, _ next: inout Arguments, xid: UInt32?
    ) throws -> [UInt8]? {
        typealias Encoder = MessageEncoder
        switch command {
        case "insert": return Encoder.insert(try next.number(), next.values(), xid: xid)
        case "update":
            return Encoder.update(
                try next.number(), key: next.values("key"), old: next.values("old"), new: next.values("new") ?? [],
                xid: xid)
        case "delete":
            return Encoder.delete(try next.number(), key: next.values("key"), old: next.values("old"), xid: xid)
        case "truncate": return Encoder.truncate(try next.numbers(), xid: xid)
        case "message": return Encoder.message(try next.word(), Array(try next.word().utf8), xid: xid)
        case "nontransactional":
            return Encoder.message(try next.word(), Array(try next.word().utf8), transactional: false, xid: xid)
        case "origin": return Encoder.origin(try next.word())
        case "type": return Encoder.type(try next.number(), try next.word(), xid: xid)
        default: return nil
        }
    }
}

private struct Arguments {
    private var words: ArraySlice<String>
    private let line: String

    init(words: [String], line: String) {
        self.words = words[...]
        self.line = line
    }

    var isAtEnd: Bool { words.isEmpty }

    mutating func word() throws -> String {
        guard let word = words.popFirst() else { throw StreamScript.Unreadable(line: line) }
        return word
    }

    mutating func number<Integer: FixedWidthInteger>() throws -> Integer {
        let word = try word()
        guard let number = Integer(word.hasPrefix("@") ? String(word.dropFirst()) : word) else {
            throw StreamScript.Unreadable(line: line)
        }
        return number
    }

    mutating func optionalNumber() throws -> UInt64? { words.isEmpty ? nil : try number() }

    mutating func numbers() throws -> [UInt32] {
        var numbers: [UInt32] = []
        while !words.isEmpty { numbers.append(try number()) }
        return numbers
    }

    mutating func flag(_ name: String) -> Bool {
        guard words.first == name else { return false }
        words.removeFirst()
        return true
    }

    mutating func hex() throws -> [UInt8] {
        try words.map { word in
            guard let byte = UInt8(word, radix: 16) else { throw StreamScript.Unreadable(line: line) }
            return byte
        }
    }

    /// The values behind `label`, up to the next label; nil when the next word is not the label.
    mutating func values(_ label: String) -> [MessageEncoder.Value]? {
        flag(label) ? values() : nil
    }

    mutating func values() -> [MessageEncoder.Value] {
        var values: [MessageEncoder.Value] = []
        while let word = words.first, !["key", "old", "new"].contains(word) {
            words.removeFirst()
            switch word {
            case "null", "~": values.append(.null)
            case "toast": values.append(.unchangedToast)
            case let word where word.hasPrefix("x'"): values.append(.binary(Array(word.dropFirst(2).dropLast().utf8)))
            default: values.append(.text(word))
            }
        }
        return values
    }

    mutating func relation(xid: UInt32?, names: inout [UInt32: String]) throws -> [UInt8] {
        let id: UInt32 = try number()
        let name = try word()
        names[id] = "public." + name
        var identity = "d"
        for (word, letter) in [("full", "f"), ("index", "i"), ("nothing", "n")] where flag(word) { identity = letter }
        let columns = words.map { word in
            MessageEncoder.Column(name: word.replacing("*", with: ""), isKey: word.hasSuffix("*"))
        }
        words = []
        return MessageEncoder.relation(id, name, columns, identity: identity, xid: xid)
    }
}
