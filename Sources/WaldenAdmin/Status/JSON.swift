/// A JSON document to be written (RFC 8259). Members keep the order they are given in, so that the same figures always
/// give the same bytes.
indirect enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case whole(UInt64)
    /// Written as null when it is not finite, for JSON has no word for that.
    case number(Double)
    case string(String)
    case array([JSON])
    case object([Member])

    struct Member: Hashable, Sendable {
        let name: String
        let value: JSON
    }

    /// The document on one line, in UTF-8.
    var text: String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .whole(let value): text += String(value)
        case .number(let value): text += value.isFinite ? String(describing: value) : "null"
        case .string(let value): Self.write(value, to: &text)
        case .array(let elements):
            Self.write(elements, between: "[", and: "]", to: &text) { element, text in element.write(to: &text) }
        case .object(let members):
            Self.write(members, between: "{", and: "}", to: &text) { member, text in
                Self.write(member.name, to: &text)
                text += ":"
                member.value.write(to: &text)
            }
        }
    }

    private static func write<Element>(
        _ elements: [Element], between open: String, and close: String, to text: inout String,
        each: (Element, inout String) -> Void
    ) {
        text += open
        for (index, element) in elements.enumerated() {
            if index > 0 { text += "," }
            each(element, &text)
        }
        text += close
    }

    /// Escapes what section 7 demands: the quotation mark, the backslash and U+0000 to U+001F.
    private static func write(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..."\u{1F}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}

extension JSON: ExpressibleByDictionaryLiteral {
    init(dictionaryLiteral members: (String, JSON)...) {
        self = .object(members.map { Member(name: $0.0, value: $0.1) })
    }

    /// Below zero counts as zero: a figure that counts things.
    static func count(_ value: Int) -> JSON {
        .whole(UInt64(clamping: value))
    }

    static func string(orNull value: String?) -> JSON {
        value.map(JSON.string) ?? .null
    }

    /// Counts by name, in the names' order.
    static func counts(_ counts: [String: UInt64]) -> JSON {
        .object(counts.sorted { $0.key < $1.key }.map { Member(name: $0.key, value: .whole($0.value)) })
    }
}
