extension QueryWriter {
    // MARK: Constants

    /// A constant of the type in SQL, without parameters.
    mutating func literal(of type: ColumnType) -> String { dice.pick(Samples.of(type)).sql }

    /// A constant to stand beside a column of the type: a literal, a cast one, or a parameter.
    mutating func constant(beside type: ColumnType) -> String {
        let sample = dice.pick(Samples.of(type))
        if dice.chance(2) { return "NULL" }
        if allowsParameters, parameters.count < 20, dice.chance(40) { return parameter(sample, type) }
        switch dice.roll(0..<100) {
        case ..<12: return "\(quoted(sample))::\(type.castName)"
        case ..<16: return "CAST(\(quoted(sample)) AS \(type.castName))"
        case ..<22 where type.isInteger:
            return dice.pick(["1.5", "2.0", "3::bigint", "2::smallint", "1e0", "0.5::numeric"])
        case ..<26 where type == .numeric || type == .scaled: return dice.pick(["1", "1::bigint", "2.50", "'1'"])
        case ..<26 where type == .float: return dice.pick(["1", "1.5", "'0.5'"])
        case ..<22 where type == .timestamp: return dice.pick(["'2024-01-01'", "date '2024-01-01'"])
        case ..<22 where type == .date: return dice.pick(["'2024-01-01'", "timestamp '2024-01-01 00:00:00'"])
        case ..<22 where type == .timestamptz:
            return dice.pick(["'2024-01-01 01:00:00+01'", "timestamptz '2024-01-01 00:00:00+00'"])
        case ..<22 where type == .text: return dice.pick(["'a'::varchar", "'ab'::char(4)", "'a'::text"])
        case ..<20 where type == .uuid: return "'00000000-0000-4000-8000-00000000000\(dice.roll(1..<6))'::uuid"
        default: return sample.sql
        }
    }

    private func quoted(_ sample: Sample) -> String {
        sample.sql.hasPrefix("repeat") || sample.sql == "true" || sample.sql == "false"
            ? sample.sql
            : sample.sql.hasPrefix("'") ? sample.sql : "'\(sample.text)'"
    }

    private mutating func parameter(_ sample: Sample, _ type: ColumnType) -> String {
        let isNull = dice.chance(3)
        let declared: UInt32
        var suffix = ""
        switch dice.roll(0..<100) {
        case ..<50: declared = 0
        case ..<80: declared = type.oid ?? 0
        default:
            declared = dice.chance(50) ? type.oid ?? 0 : 0
            suffix = "::\(type.castName)"
        }
        // In a binary form the server must know the type as the sample has it.
        let isBinary = sample.binary != nil && dice.chance(50)
        let bytes = isNull ? nil : isBinary ? sample.binary : Array(sample.text.utf8)
        let shown = bytes == nil ? "NULL" : String(sample.text.prefix(40)) + (isBinary ? " (binary)" : "")
        parameters.append(Parameter(type: declared, isBinary: isBinary, bytes: bytes, shown: shown))
        return "$\(parameters.count)\(suffix)"
    }

    /// `column = ANY (…)`'s array: a parameter, a literal or a constructor.
    private mutating func array(of type: ColumnType) -> String? {
        let samples = (0..<dice.roll(0..<4)).map { _ in dice.pick(Samples.of(type)) }
        if allowsParameters, let oid = type.arrayOID, dice.chance(50) {
            let text = "{\(samples.map { "\"\($0.text)\"" }.joined(separator: ","))}"
            let declared = dice.chance(50) ? oid : 0
            parameters.append(
                Parameter(type: declared, isBinary: false, bytes: Array(text.utf8), shown: text))
            let cast = declared == 0 && dice.chance(30) ? "::\(type.castName)[]" : ""
            return "$\(parameters.count)\(cast)"
        }
        guard !samples.isEmpty else { return nil }
        if dice.chance(40), type.isInteger { return "'{\(samples.map(\.text).joined(separator: ","))}'" }
        let cast = type.isInteger ? "" : "::\(type.castName)[]"
        return "ARRAY[\(samples.map(\.sql).joined(separator: ", "))]\(cast)"
    }

    // MARK: Terms

    private static let comparisons = ["=", "=", "=", "<", "<=", ">", ">=", "<>", "!="]

    mutating func comparison(_ column: String, _ type: ColumnType, _ operators: [String] = comparisons) -> String {
        let word = type == .intArray || type == .big ? "=" : dice.pick(operators)
        let constant = constant(beside: type)
        let mirrored = ["<": ">", "<=": ">=", ">": "<", ">=": "<="][word] ?? word
        return dice.chance(12) ? "\(constant) \(mirrored) \(column)" : "\(column) \(word) \(constant)"
    }

    /// A condition over the sources: conjunctions, alternatives and negations of terms.
    mutating func predicate(_ sources: [Source], depth: Int, outer: [Source]) -> String {
        switch dice.roll(0..<100) {
        case ..<20:
            return "\(term(sources, depth: depth, outer: outer)) AND \(term(sources, depth: depth, outer: outer))"
        case ..<30:
            return "(\(term(sources, depth: depth, outer: outer)) OR \(term(sources, depth: depth, outer: outer)))"
        case ..<35:
            let parts = (0..<4).map { _ in term(sources, depth: 2, outer: outer) }
            return "(\(parts[0]) AND \(parts[1]) OR \(parts[2]) AND \(parts[3]))"
        case ..<42: return "NOT (\(term(sources, depth: depth, outer: outer)))"
        case ..<46:
            let parts = [term(sources, depth: 2, outer: outer), term(sources, depth: 2, outer: outer)]
            return "NOT (\(parts[0]) \(dice.pick(["OR", "AND"])) \(parts[1]))"
        default: return term(sources, depth: depth, outer: outer)
        }
    }

    private mutating func term(_ sources: [Source], depth: Int, outer: [Source]) -> String {
        if depth < 2, dice.chance(6) { return subqueryTerm(sources, depth: depth, outer: outer) }
        let column = column(sources, where: { _ in true })
        let (sql, type) = column
        switch dice.roll(0..<100) {
        case ..<38: return comparison(sql, type)
        case ..<46: return range(sql, type)
        case ..<54: return membership(sql, type)
        case ..<58:
            guard let array = array(of: type) else { return "\(sql) IS NULL" }
            return dice.weigh([
                (5, "\(sql) = ANY (\(array))"), (1, "\(sql) <> ALL (\(array))"), (1, "\(sql) <> ANY (\(array))"),
            ])
        case ..<65: return dice.chance(60) ? "\(sql) IS NULL" : "\(sql) IS NOT NULL"
        case ..<69: return "\(sql) IS \(dice.chance(50) ? "NOT " : "")DISTINCT FROM \(constant(beside: type))"
        case ..<73: return like(sources)
        case ..<78: return boolean(sources)
        case ..<81: return "CASE WHEN \(comparison(sql, type)) THEN \(comparison(sql, type)) ELSE \(bool()) END"
        case ..<84: return "COALESCE(\(sql), \(literal(of: type))) = \(constant(beside: type))"
        case ..<88: return row(sources)
        case ..<92: return pair(sources)
        case ..<95: return arithmetic(sources)
        case ..<97:
            let test = dice.pick(["TRUE", "NOT TRUE", "FALSE", "NOT FALSE", "UNKNOWN"])
            return "(\(comparison(sql, type))) IS \(test)"
        case ..<98: return bool()
        case ..<99:
            // The row as a whole.
            return dice.pick(sources).alias + dice.pick([" IS NULL", " IS NOT NULL", ".* IS NOT NULL"])
        default: return "\(sql)::text = '\(dice.pick(Samples.of(type)).text.prefix(20).replacing("'", with: ""))'"
        }
    }

    private mutating func bool() -> String { dice.pick(["true", "false", "NULL"]) }

    private mutating func range(_ sql: String, _ type: ColumnType) -> String {
        guard type != .big else { return comparison(sql, type) }
        let word = dice.weigh([(7, "BETWEEN"), (2, "NOT BETWEEN"), (1, "BETWEEN SYMMETRIC")])
        return "\(sql) \(word) \(constant(beside: type)) AND \(constant(beside: type))"
    }

    private mutating func membership(_ sql: String, _ type: ColumnType) -> String {
        let list = (0..<dice.roll(1..<4)).map { _ in constant(beside: type) }
        return "\(sql) \(dice.chance(25) ? "NOT " : "")IN (\(list.joined(separator: ", ")))"
    }

    private mutating func like(_ sources: [Source]) -> String {
        let (sql, type) = column(sources, where: { $0.type.isText && $0.type != .folded })
        guard type.isText, type != .folded else { return comparison(sql, type) }
        let pattern = dice.pick(["a%", "a_", "%b", "ab%", "a\\%%", "A%", "a", "%", "zz%"])
        let word = dice.weigh([(6, "LIKE"), (1, "NOT LIKE"), (1, "ILIKE")])
        if dice.chance(8) { return "starts_with(\(sql), 'a')" }
        return "\(sql) \(word) '\(pattern)'"
    }

    private mutating func boolean(_ sources: [Source]) -> String {
        let (sql, type) = column(sources, where: { $0.type == .bool })
        guard type == .bool else { return comparison(sql, type) }
        return dice.pick([
            sql, "NOT \(sql)", "\(sql) IS TRUE", "\(sql) IS NOT TRUE", "\(sql) IS FALSE", "\(sql) IS NOT FALSE",
            "\(sql) IS UNKNOWN", "\(sql) IS NOT UNKNOWN", "\(sql) = false",
        ])
    }

    private mutating func row(_ sources: [Source]) -> String {
        let first = column(sources, where: { $0.type != .big && $0.type != .intArray })
        let second = column(sources, where: { $0.type != .big && $0.type != .intArray })
        func constants() -> String { "(\(constant(beside: first.type)), \(constant(beside: second.type)))" }
        let left = "(\(first.sql), \(second.sql))"
        switch dice.roll(0..<6) {
        case 0...1: return "\(left) = \(constants())"
        case 2: return "\(left) < \(constants())"
        case 3: return "\(left) >= \(constants())"
        case 4: return "\(left) <> \(constants())"
        default: return "\(left) IN (\(constants()), \(constants()))"
        }
    }

    /// Two columns compared.
    private mutating func pair(_ sources: [Source]) -> String {
        let first = column(sources, where: { _ in true })
        let second = column(sources, where: { $0.type.compares(with: first.type) })
        guard second.type.compares(with: first.type) else { return comparison(first.sql, first.type) }
        return "\(first.sql) \(dice.pick(["=", "<", "<>", ">="])) \(second.sql)"
    }

    private mutating func arithmetic(_ sources: [Source]) -> String {
        let (sql, type) = column(sources, where: { $0.type == .integer || $0.type.isText })
        if type.isText { return "length(\(sql)) > \(dice.roll(0..<4))" }
        guard type == .integer else { return comparison(sql, type) }
        return dice.pick([
            "\(sql) + 1 > \(dice.roll(0..<6))", "\(sql) % 2 = 0", "-\(sql) < -2", "twice(\(sql)) = 4",
            "abs(\(sql)) = 1", "\(sql) * 1.5 > 3",
        ])
    }
}
