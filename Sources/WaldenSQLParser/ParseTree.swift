/// The JSON that libpg_query prints for a text, as a flat array of nodes in document order.
///
/// Read in one pass with an explicit stack, so that no nesting of the input can exhaust the thread's stack. Strings
/// stay where they are in the JSON until someone asks for them.
struct ParseTree {
    enum Kind: UInt8 {
        case object, array, string, number, yes, no
    }

    struct Node {
        let kind: Kind
        /// Where the member's name stands in the JSON, without quotes; empty within an array.
        let key: Range<Int32>
        /// A scalar's bytes, a string without quotes.
        var value: Range<Int32>
        /// The index after the last node below this one.
        var end: Int32
    }

    /// More than the tree of any text within the length limit that is not built to be deep.
    static let byteLimit = 32 << 20
    private static let nestingLimit = 200_000

    let json: [UInt8]
    private(set) var nodes: [Node] = []

    /// Nil when the bytes are not the JSON that the library writes, or exceed a limit.
    init?(json: [UInt8]) {
        guard json.count <= Self.byteLimit else { return nil }
        self.json = json
        nodes.reserveCapacity(json.count / 16)
        guard scan() else { return nil }
    }

    private mutating func scan() -> Bool {
        var position = 0
        var open: [Int] = []
        var key: Range<Int32> = 0..<0
        while position < json.count {
            let byte = json[position]
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard open.count < Self.nestingLimit else { return false }
                open.append(nodes.count)
                append(byte == UInt8(ascii: "{") ? .object : .array, key, 0..<0)
                key = 0..<0
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard let opened = open.popLast() else { return false }
                nodes[opened].end = Int32(nodes.count)
                position += 1
                if open.isEmpty { return position == json.count }
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "\""):
                guard let range = scanString(&position), let container = open.last else { return false }
                if nodes[container].kind == .object, position < json.count, json[position] == UInt8(ascii: ":") {
                    key = range
                    position += 1
                } else {
                    append(.string, key, range)
                    key = 0..<0
                }
            default:
                guard !open.isEmpty, let kind = Self.kind(of: byte) else { return false }
                let start = position
                while position < json.count, !Self.endsScalar(json[position]) { position += 1 }
                append(kind, key, Int32(start)..<Int32(position))
                key = 0..<0
            }
        }
        return false
    }

    private mutating func append(_ kind: Kind, _ key: Range<Int32>, _ value: Range<Int32>) {
        nodes.append(Node(kind: kind, key: key, value: value, end: Int32(nodes.count + 1)))
    }

    private static func kind(of byte: UInt8) -> Kind? {
        switch byte {
        case UInt8(ascii: "t"): .yes
        case UInt8(ascii: "f"): .no
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): .number
        default: nil
        }
    }

    private static func endsScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"): true
        default: false
        }
    }

    /// Steps over a string and returns where it stands between its quotes.
    private func scanString(_ position: inout Int) -> Range<Int32>? {
        let start = position + 1
        position = start
        while position < json.count {
            switch json[position] {
            case UInt8(ascii: "\""):
                defer { position += 1 }
                return Int32(start)..<Int32(position)
            case UInt8(ascii: "\\"): position += 2
            default: position += 1
            }
        }
        return nil
    }
}

// MARK: Reading

extension ParseTree {
    /// The indices of the nodes directly below `index`.
    func children(of index: Int) -> [Int] {
        var found: [Int] = []
        var child = index + 1
        while child < Int(nodes[index].end) {
            found.append(child)
            child = Int(nodes[child].end)
        }
        return found
    }

    func child(of index: Int, _ name: StaticString) -> Int? {
        var child = index + 1
        while child < Int(nodes[index].end) {
            if isKey(of: child, name) { return child }
            child = Int(nodes[child].end)
        }
        return nil
    }

    func isKey(of index: Int, _ name: StaticString) -> Bool {
        equals(nodes[index].key, name)
    }

    /// Whether the node is of a kind named …Stmt.
    func isStatement(_ index: Int) -> Bool {
        let key = nodes[index].key
        return key.count > 4 && equals((key.upperBound - 4)..<key.upperBound, "Stmt")
    }

    func key(of index: Int) -> String {
        text(nodes[index].key) ?? ""
    }

    /// The decoded text of a string node; nil for other nodes and for text that is not UTF-8.
    func string(_ index: Int) -> String? {
        nodes[index].kind == .string ? text(nodes[index].value) : nil
    }

    func isString(_ index: Int, _ text: StaticString) -> Bool {
        nodes[index].kind == .string && equals(nodes[index].value, text)
    }

    func integer(_ index: Int) -> Int? {
        guard nodes[index].kind == .number else { return nil }
        return text(nodes[index].value).flatMap { Int($0) }
    }

    private func equals(_ range: Range<Int32>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { other in
            json[Int(range.lowerBound)..<Int(range.upperBound)].elementsEqual(other)
        }
    }

    private func text(_ range: Range<Int32>) -> String? {
        let raw = json[Int(range.lowerBound)..<Int(range.upperBound)]
        guard raw.contains(UInt8(ascii: "\\")) else { return String(validating: raw, as: UTF8.self) }
        return Self.unescape(raw).flatMap { String(validating: $0, as: UTF8.self) }
    }

    private static func unescape(_ raw: ArraySlice<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        var position = raw.startIndex
        while position < raw.endIndex {
            let byte = raw[position]
            position += 1
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            guard position < raw.endIndex else { return nil }
            let escaped = raw[position]
            position += 1
            switch escaped {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(escaped)
            case UInt8(ascii: "u"):
                // The library escapes control characters and angle brackets so, all of them below 0x80.
                guard position + 4 <= raw.endIndex,
                    let digits = String(validating: raw[position..<(position + 4)], as: UTF8.self),
                    let code = UInt8(digits, radix: 16), code < 0x80
                else { return nil }
                result.append(code)
                position += 4
            default: return nil
            }
        }
        return result
    }
}
