public import WaldenCore

/// What an operator says of the statements that it matches. It never makes cacheable what analysis refuses.
public struct CacheRule: Hashable, Sendable {
    public enum Caching: String, Hashable, Sendable, CaseIterable {
        /// Kept if that pays.
        case auto
        /// Kept whether or not it pays.
        case force
        /// Not kept.
        case forbid
    }

    /// For people: its name, or its place in the file.
    public var name: String

    // All that are given must match.
    /// The schema of a table that the statement reads.
    public var schema: String?
    /// A table that the statement reads, or an ancestor or descendant of it.
    public var table: QualifiedName?
    /// The effective role.
    public var role: String?
    public var shape: ShapeID?
    /// Of the shape's text.
    public var pattern: Glob?

    public var caching = Caching.auto
    /// Nil: the instance's or the session's.
    public var consistency: ConsistencyLevel?
    /// An entry is not served when its query began longer ago. Nil: as long as it is right.
    public var maxAge: Duration?
    /// A larger result is not kept; the instance's own bound holds as well.
    public var maxResultBytes: Int?

    public init(name: String) {
        self.name = name
    }

    func matches(tables: [QualifiedName], role: String, shape: StatementShape) -> Bool {
        if let wanted = self.role, wanted != role { return false }
        if let wanted = self.shape, wanted != shape.id { return false }
        if let schema, !tables.contains(where: { $0.schema == schema }) { return false }
        if let table, !tables.contains(table) { return false }
        return pattern?.matches(shape.text) ?? true
    }
}

/// The rules in their order; the first that matches holds.
public struct RuleSet: Hashable, Sendable {
    public let rules: [CacheRule]

    public init(_ rules: [CacheRule] = []) {
        self.rules = rules
    }

    func first(tables: [QualifiedName], role: String, shape: StatementShape) -> CacheRule? {
        rules.first { $0.matches(tables: tables, role: role, shape: shape) }
    }

    /// The rule for a cacheable statement.
    ///
    /// - Parameter role: The effective one.
    public func rule(
        for plan: CachePlan, in catalog: CatalogSnapshot, role: String, shape: StatementShape
    ) -> CacheRule? {
        if rules.isEmpty { return nil }
        let tables = plan.tables.compactMap { table in
            catalog.relation(table.relation).map { QualifiedName(schema: $0.schema, name: $0.name) }
        }
        return first(tables: tables, role: role, shape: shape)
    }
}

/// A pattern as file names have them: `*` stands for any text, `?` for one character. ASCII letters match in either
/// case. Matching takes at most the product of the two lengths, whatever the pattern.
public struct Glob: Hashable, Sendable {
    public static let maxBytes = 256
    private let pattern: [UInt8]

    /// Nil when it is empty or longer than `maxBytes`.
    public init?(_ text: String) {
        guard (1...Self.maxBytes).contains(text.utf8.count) else { return nil }
        pattern = text.utf8.map(Self.folded)
    }

    public func matches(_ text: String) -> Bool {
        let text = text.utf8.map(Self.folded)
        var position = 0
        var wanted = 0
        // Where to go on when what follows the last star does not fit.
        var retry: (pattern: Int, text: Int)?
        while position < text.count {
            if wanted < pattern.count, pattern[wanted] == UInt8(ascii: "*") {
                retry = (wanted + 1, position)
                wanted += 1
            } else if wanted < pattern.count,
                pattern[wanted] == text[position] || pattern[wanted] == UInt8(ascii: "?")
            {
                position += Self.step(text, position, any: pattern[wanted] == UInt8(ascii: "?"))
                wanted += 1
            } else if let last = retry {
                position = last.text + 1
                wanted = last.pattern
                retry = (last.pattern, position)
            } else {
                return false
            }
        }
        return pattern[wanted...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// Bytes of the character at `position` when any one may stand there, else one.
    private static func step(_ text: [UInt8], _ position: Int, any: Bool) -> Int {
        guard any else { return 1 }
        var next = position + 1
        while next < text.count, text[next] & 0xC0 == 0x80 { next += 1 }
        return next - position
    }

    private static func folded(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
