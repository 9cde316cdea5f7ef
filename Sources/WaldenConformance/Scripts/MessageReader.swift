import WaldenTestKit

/// Reads what a client sends in a step: `Parse "SELECT 1" name=s; 3 * (Bind statement=s; Execute); Sync`.
struct MessageReader {
    private let place: String
    private var tokens: ArraySlice<Token>
    /// Which time the group around is repeated, from 1: `{n}` in a literal stands for it.
    private var iteration = 0

    init(_ tokens: ArraySlice<Token>, at place: String) {
        self.tokens = tokens
        self.place = place
    }

    /// Messages that are longer than this together are no script any more.
    private static let repetitionLimit = 10_000_000

    mutating func messages() throws(ScriptError) -> [Outgoing] {
        var messages: [Outgoing] = []
        while let first = tokens.first {
            if first == .sign(";") {
                tokens.removeFirst()
            } else if case .word(let word) = first, let count = Int(word) {
                tokens.removeFirst()
                messages += try group(count)
            } else {
                messages.append(try message())
            }
        }
        return messages
    }

    private mutating func group(_ count: Int) throws(ScriptError) -> [Outgoing] {
        guard (0...100_000).contains(count), take("*"), take("("), let end = closing() else {
            throw problem("a repeated group is written as: 3 * (Bind; Execute)")
        }
        let content = tokens[tokens.startIndex..<end]
        tokens = tokens[(end + 1)...]
        var messages: [Outgoing] = []
        for number in stride(from: 1, through: count, by: 1) {
            var reader = MessageReader(content, at: place)
            reader.iteration = number
            messages += try reader.messages()
        }
        return messages
    }

    private func closing() -> Int? {
        var depth = 1
        for (index, token) in zip(tokens.indices, tokens) {
            if token == .sign("(") { depth += 1 }
            if token == .sign(")") { depth -= 1 }
            if depth == 0 { return index }
        }
        return nil
    }

    private mutating func message() throws(ScriptError) -> Outgoing {
        guard case .word(let name)? = tokens.popFirst() else { throw problem("a message is expected") }
        var arguments = Arguments(name: name, place: place)
        while let token = tokens.first, token != .sign(";") {
            try argument(&arguments)
        }
        let outgoing = try Self.outgoing(name, &arguments)
        try arguments.expectAllUsed()
        return outgoing
    }

    private mutating func argument(_ arguments: inout Arguments) throws(ScriptError) {
        let value = try self.value()
        guard take("=") else {
            arguments.values.append(value)
            return
        }
        guard let key = value?.text else { throw problem("null is no name") }
        var values = [try self.value()]
        while take(",") { values.append(try self.value()) }
        arguments.named.append((key, values))
    }

    /// A word or literal; nil for `null`.
    private mutating func value() throws(ScriptError) -> Arguments.Value? {
        switch tokens.popFirst() {
        case .word("null"): return nil
        case .word(let word): return Arguments.Value(bytes: Array(word.utf8))
        case .literal(var bytes):
            if iteration > 0 {
                bytes = Array(
                    String(decoding: bytes, as: UTF8.self).replacing("{n}", with: String(iteration)).utf8)
            }
            guard take("*") else { return Arguments.Value(bytes: bytes) }
            guard case .word(let word)? = tokens.popFirst(), let count = Int(word),
                (0...Self.repetitionLimit).contains(count * max(bytes.count, 1))
            else { throw problem("a repeated text is written as: \"x\" * 1000") }
            return Arguments.Value(bytes: Array(repeatElement(bytes, count: count).joined()))
        default: throw problem("a value is expected")
        }
    }

    private mutating func take(_ sign: String) -> Bool {
        guard tokens.first == .sign(sign) else { return false }
        tokens.removeFirst()
        return true
    }

    private func problem(_ reason: String) -> ScriptError {
        ScriptError(place: place, reason: reason)
    }
}

/// What follows a message's name.
struct Arguments {
    struct Value {
        var bytes: [UInt8]
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    let name: String
    let place: String
    var values: [Value?] = []
    var named: [(key: String, values: [Value?])] = []

    mutating func takeValue() throws(ScriptError) -> Value {
        guard !values.isEmpty, let value = values.removeFirst() else { throw problem("a value is missing") }
        return value
    }

    mutating func takeAll() -> [Value?] {
        defer { values = [] }
        return values
    }

    mutating func takeList(_ key: String) -> [Value?] {
        guard let index = named.firstIndex(where: { $0.key == key }) else { return [] }
        return named.remove(at: index).values
    }

    mutating func takeText(_ key: String) -> String? {
        takeList(key).first.flatMap { $0?.text }
    }

    mutating func takeIntegers<Integer: FixedWidthInteger>(
        _ key: String, as type: Integer.Type
    ) throws(ScriptError) -> [Integer] {
        var integers: [Integer] = []
        for value in takeList(key) { integers.append(try integer(value?.text)) }
        return integers
    }

    func integer<Integer: FixedWidthInteger>(_ text: String?) throws(ScriptError) -> Integer {
        guard let text, let integer = Integer(text) else { throw problem("\(text ?? "null") is no fitting number") }
        return integer
    }

    func expectAllUsed() throws(ScriptError) {
        guard values.isEmpty, named.isEmpty else {
            throw problem("too much: \(values.map { $0?.text ?? "null" }) \(named.map(\.key))")
        }
    }

    func problem(_ reason: String) -> ScriptError {
        ScriptError(place: place, reason: "\(name): \(reason)")
    }
}
