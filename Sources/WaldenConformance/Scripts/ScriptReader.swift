/// Reads the scripts of a file (docs/internals/conformance.md).
struct ScriptReader {
    private let file: String
    private var scripts: [Script] = []

    static func scripts(in text: String, file: String) throws(ScriptError) -> [Script] {
        var reader = ScriptReader(file: file)
        var pending: (number: Int, text: String)?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            // An indented line continues the one before.
            if line.first == " ", let begun = pending {
                pending = (begun.number, begun.text + line)
                continue
            }
            if let begun = pending { try reader.read(begun.text, begun.number) }
            let isBlank = line.allSatisfy { $0 == " " } || line.first == "#"
            pending = isBlank ? nil : (index + 1, String(line))
        }
        if let begun = pending { try reader.read(begun.text, begun.number) }
        if let empty = reader.scripts.first(where: { $0.steps.isEmpty }) {
            throw ScriptError(place: empty.place, reason: "the script has no steps")
        }
        return reader.scripts
    }

    private init(file: String) {
        self.file = file
    }

    private mutating func read(_ line: String, _ number: Int) throws(ScriptError) {
        let place = "\(file):\(number)"
        if line.hasPrefix("=== ") {
            let name = String(line.dropFirst(4))
            guard !scripts.contains(where: { $0.name == name }) else {
                throw ScriptError(place: place, reason: "a second script of this name")
            }
            scripts.append(Script(name: name, place: place))
            return
        }
        guard !scripts.isEmpty else { throw ScriptError(place: place, reason: "a script begins with === NAME") }
        let tokens = try Tokenizer.tokens(of: line, at: place)
        guard case .word(let word)? = tokens.first else { throw ScriptError(place: place, reason: "begins oddly") }
        let rest = tokens.dropFirst()
        if rest.first == .sign(":") {
            try readHeader(word, rest.dropFirst(), at: place)
        } else {
            scripts[scripts.count - 1].steps.append(Step(line: number, action: try action(word, rest, at: place)))
        }
    }

    // MARK: Headers

    private mutating func readHeader(_ key: String, _ values: ArraySlice<Token>, at place: String) throws(ScriptError) {
        let index = scripts.count - 1
        let words = values.compactMap { token -> String? in
            switch token {
            case .word(let word): word
            case .literal(let bytes): String(decoding: bytes, as: UTF8.self)
            case .sign: nil
            }
        }
        guard let first = words.first else { throw ScriptError(place: place, reason: "\(key) says nothing") }
        switch key {
        case "cases":
            let numbers = words.compactMap { Int($0) }
            guard numbers.count == words.count else { throw ScriptError(place: place, reason: "cases are numbers") }
            scripts[index].cases = numbers
        case "setup": scripts[index].setup += words
        case "start":
            guard words.count % 2 == 0 else { throw ScriptError(place: place, reason: "start: name=value …") }
            for pair in stride(from: 0, to: words.count, by: 2) {
                scripts[index].parameters.removeAll { $0.0 == words[pair] }
                scripts[index].parameters.append((words[pair], words[pair + 1]))
            }
        case "mask":
            let masks = words.compactMap { Mask(rawValue: $0) }
            guard masks.count == words.count else { throw ScriptError(place: place, reason: "no such mask") }
            scripts[index].masks = Set(masks)
        case "servers":
            guard let number = Int(first), (1...3).contains(number) else {
                throw ScriptError(place: place, reason: "servers is a number from 1 to 3")
            }
            scripts[index].servers = number
        case "warmed": scripts[index].isWarmed = first == "yes"
        case "alone": scripts[index].alone = first
        case "dedicated": scripts[index].dedicated = first
        default: throw ScriptError(place: place, reason: "no such header: \(key)")
        }
    }

    // MARK: Steps

    private func action(
        _ first: String, _ rest: ArraySlice<Token>, at place: String
    ) throws(ScriptError) -> Action {
        switch (first, rest.first) {
        case ("observe", .literal(let sql)?): return .observe(sql: String(decoding: sql, as: UTF8.self))
        case ("admin", .literal(let sql)?): return .administer(sql: String(decoding: sql, as: UTF8.self))
        case (_, .sign(let sign)?) where sign == ">" || sign == "|>" || sign == "->":
            var reader = StepReader(client: first, tokens: rest, place: place)
            return try reader.conversation()
        case (_, .word("finishes")?): return .finishSending(client: first)
        case (_, .word("leaves")?): return .leave(client: first, byReset: false)
        case (_, .word("resets")?): return .leave(client: first, byReset: true)
        default: throw ScriptError(place: place, reason: "no such step")
        }
    }
}

/// `A> messages -> expectations`, `A|> messages` (each byte in a write of its own), `A -> expectations`.
private struct StepReader {
    let client: String
    var tokens: ArraySlice<Token>
    let place: String

    mutating func conversation() throws(ScriptError) -> Action {
        let sign = tokens.first
        if sign != .sign("->") { tokens.removeFirst() }
        let arrow = tokens.firstIndex(of: .sign("->"))
        var reader = MessageReader(tokens[..<(arrow ?? tokens.endIndex)], at: place)
        let sends = try reader.messages()
        var expectations: [Expectation] = []
        if let arrow {
            tokens = tokens[(arrow + 1)...]
            while !tokens.isEmpty { expectations += try expectation() }
        }
        return .converse(
            client: client, sends: sends, isBytewise: sign == .sign("|>"), expectations: expectations)
    }

    /// `Z`, `E:26000`, `C:"SELECT 1"`, `3*Z`, `byte:N`, `end`.
    private mutating func expectation() throws(ScriptError) -> [Expectation] {
        guard case .word(let word)? = tokens.popFirst() else { throw problem("an expectation is expected") }
        if tokens.first == .sign("*") {
            tokens.removeFirst()
            guard let count = Int(word), (1...100_000).contains(count) else { throw problem("\(word) is no number") }
            let repeated = try expectation()
            return (0..<count).flatMap { _ in repeated }
        }
        if word == "end" { return [.end] }
        let argument = try self.argument()
        if word == "byte" {
            guard let byte = argument?.unicodeScalars.first else { throw problem("byte:N") }
            return [.byte(byte)]
        }
        guard word.unicodeScalars.count == 1, let tag = word.unicodeScalars.first else {
            throw problem("\(word) is no tag of a message")
        }
        return [.message(tag, containing: argument)]
    }

    private mutating func argument() throws(ScriptError) -> String? {
        guard tokens.first == .sign(":") else { return nil }
        tokens.removeFirst()
        switch tokens.popFirst() {
        case .word(let word): return word
        case .literal(let bytes): return String(decoding: bytes, as: UTF8.self)
        default: throw problem("something is expected after the colon")
        }
    }

    private func problem(_ reason: String) -> ScriptError {
        ScriptError(place: place, reason: reason)
    }
}
