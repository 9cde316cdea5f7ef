/// What a LIKE pattern says of the texts that match it. Matching is bytewise under every collation that allows it.
struct LikePattern: Hashable, Sendable {
    enum Rest: Hashable, Sendable {
        /// The text is the prefix.
        case nothing
        /// Any text that begins with the prefix matches.
        case anything
        /// Some of these match.
        case something
    }

    /// What matching texts begin with.
    let prefix: [UInt8]
    let rest: Rest

    /// - Parameter escape: The character that takes a meaning away; nil for none.
    /// - Returns: Nil for a pattern that ends within an escape, which is an error.
    init?(_ pattern: [UInt8], escape: UInt8?) {
        var prefix: [UInt8] = []
        var offset = 0
        scan: while offset < pattern.count {
            switch pattern[offset] {
            case escape:
                guard offset + 1 < pattern.count else { return nil }
                prefix.append(pattern[offset + 1])
                offset += 2
            case UInt8(ascii: "%"), UInt8(ascii: "_"): break scan
            default:
                prefix.append(pattern[offset])
                offset += 1
            }
        }
        self.prefix = prefix
        let wild = pattern[offset...]
        rest = wild.isEmpty ? .nothing : wild.allSatisfy { $0 == UInt8(ascii: "%") } ? .anything : .something
    }

    /// What a text must be to match, or not to match.
    func test(matches: Bool) -> Test {
        switch (rest, matches) {
        case (.nothing, true): .isIn([.bytes(prefix)])
        case (.nothing, false): .isNot(.bytes(prefix))
        case (_, true) where !prefix.isEmpty:
            .isWithin(lower: .inclusive(.bytes(prefix)), upper: Self.end(ofPrefix: prefix))
        default: .isNotNull
        }
    }

    /// The least text, by bytes, that is above all that begin with `prefix`.
    static func end(ofPrefix prefix: [UInt8]) -> Bound {
        var end = prefix
        while let last = end.popLast() {
            if last < 0xFF { return .exclusive(.bytes(end + [last + 1])) }
        }
        return .unbounded
    }

    /// The pattern of all that begin with `prefix`.
    static func escaped(_ prefix: [UInt8]) -> [UInt8] {
        prefix.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "%"), UInt8(ascii: "_"), UInt8(ascii: "\\"): [UInt8(ascii: "\\"), byte]
            default: [byte]
            }
        } + [UInt8(ascii: "%")]
    }
}
