/// What the configuration says of a user's function: that its result is determined by its arguments, what is in the
/// session's key, and the rows of these relations.
public struct DeclaredFunction: Hashable, Sendable {
    /// With its schema, as the catalog has it: no folding, no quotes.
    public let name: QualifiedName
    /// Types as `\df` prints them, or as `pg_type` names them.
    public let arguments: [String]
    /// With their schemas.
    public var reads: [QualifiedName]

    /// - Parameter signature: E.g. `app.total(integer, text)`. Nil when it is none.
    public init?(signature: String, reads: [QualifiedName] = []) {
        guard let open = signature.firstIndex(of: "("), signature.last == ")",
            let name = QualifiedName(withSchema: String(signature[..<open]))
        else { return nil }
        let list = signature[signature.index(after: open)...].dropLast()
        let words = list.split(separator: ",", omittingEmptySubsequences: false).map { part in
            part.split(whereSeparator: \.isWhitespace).joined(separator: " ").lowercased()
        }
        let arguments = words == [""] ? [] : words
        guard !arguments.contains(where: { $0.isEmpty || $0.contains("(") }) else { return nil }
        self.name = name
        self.arguments = arguments
        self.reads = reads
    }
}

extension QualifiedName {
    /// `schema.name` as the catalog has it; nil when a part is missing.
    public init?(withSchema text: String) {
        guard let dot = text.firstIndex(of: "."), dot > text.startIndex else { return nil }
        let name = text[text.index(after: dot)...]
        guard !name.isEmpty else { return nil }
        self.init(schema: String(text[..<dot]), name: String(name))
    }
}

/// All functions declared.
public struct DeclaredFunctions: Hashable, Sendable {
    private let byName: [QualifiedName: [DeclaredFunction]]

    public init(_ functions: [DeclaredFunction] = []) {
        byName = Dictionary(grouping: functions, by: \.name)
    }

    /// The declaration of a function of the catalog.
    func declaration(of function: FunctionEntry, in catalog: CatalogSnapshot) -> DeclaredFunction? {
        byName[QualifiedName(schema: function.schema, name: function.name)]?.first { declared in
            declared.arguments.count == function.arguments.count
                && zip(declared.arguments, function.arguments).allSatisfy { text, type in
                    catalog.type(type).map { Self.names(of: $0).contains(text) } ?? false
                }
        }
    }

    /// How a type may be written.
    private static func names(of type: TypeEntry) -> [String] {
        guard type.schema == "pg_catalog" else { return ["\(type.schema).\(type.name)".lowercased()] }
        if type.name.hasPrefix("_") {
            let element = String(type.name.dropFirst())
            return [type.name] + ([element] + (spelled[element].map { [$0] } ?? [])).map { "\($0)[]" }
        }
        return [type.name] + (spelled[type.name].map { [$0] } ?? [])
    }

    /// `format_type`, where it differs from `pg_type.typname`.
    private static let spelled = [
        "int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision",
        "bool": "boolean", "varchar": "character varying", "bpchar": "character", "bit": "bit",
        "varbit": "bit varying", "time": "time without time zone", "timestamp": "timestamp without time zone",
        "timestamptz": "timestamp with time zone",
    ]
}

extension NameResolver {
    /// What a declared function reads; refused while that is not certain.
    func reads(_ declared: DeclaredFunction, _ function: FunctionEntry) throws(Refusal) -> [RelationEntry] {
        let name = "function \(declared.name)"
        guard function.volatility != .volatile, !function.mayChangeSettings else {
            throw Refusal(.function, "\(name) is declared, but VOLATILE or able to change settings")
        }
        var relations: [RelationEntry] = []
        for read in declared.reads {
            guard let relation = catalog.relations(named: read.name).first(where: { $0.schema == read.schema }) else {
                throw Refusal(.function, "\(name) is declared to read \(read), which is not in the catalog snapshot")
            }
            guard !relation.hasRowSecurity else {
                throw Refusal(.rowSecurity, "\(name) is declared to read \(read), which has row security")
            }
            relations.append(relation)
        }
        return relations
    }
}

extension QueryChecker {
    /// Adds what a declared function reads, each relation with every row and column.
    mutating func note(_ relations: [RelationEntry]) throws(Refusal) {
        for relation in relations {
            let family = try resolver.check(relation)
            var occurrence = TableOccurrence(relation: relation, family: family)
            occurrence.isWhole = true
            tables.append(occurrence)
        }
    }
}
