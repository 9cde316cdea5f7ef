/// Makes the rows of a world and the transactions that change them.
///
/// What breaks a constraint is refused by the server and has no effect, so nothing here looks at the data.
struct ChangeGenerator {
    private let schema: Schema
    private var dice: Dice

    /// Rows to begin with.
    static func data(_ schema: Schema, seed: UInt64) -> [String] {
        var statements: [String] = []
        for (index, table) in schema.tables.enumerated() where !table.isPartition {
            var generator = ChangeGenerator(schema: schema, dice: Dice(seed: seed, .data, index))
            for _ in 0..<generator.dice.roll(8..<26) {
                statements.append(generator.insert(into: table, rows: 1, conflict: " ON CONFLICT DO NOTHING"))
            }
        }
        return statements
    }

    static func change(_ schema: Schema, seed: UInt64, index: Int) -> Change {
        var generator = ChangeGenerator(schema: schema, dice: Dice(seed: seed, .change, index))
        return generator.change()
    }

    private mutating func change() -> Change {
        var steps: [Step] = []
        let count = dice.weigh([(60, 1), (20, 2), (12, 3), (8, 5)])
        var open: [String] = []
        for number in 0..<count {
            if count > 1, dice.chance(25) {
                open.append("s\(number)")
                steps.append(.savepoint("s\(number)"))
            }
            steps += statement()
            if let last = open.last, dice.chance(40) {
                steps.append(dice.chance(60) ? .rollback(to: last) : .release(last))
                if case .release = steps[steps.count - 1] { open.removeLast() }
            }
        }
        return Change(steps: steps, ending: dice.chance(4) ? .twoPhase : .commit)
    }

    private mutating func statement() -> [Step] {
        let table = dice.chance(85) ? dice.pick(schema.tables.filter { !$0.isPartition }) : dice.pick(schema.tables)
        switch dice.roll(0..<1000) {
        case ..<300: return [.statement(insert(into: table, rows: dice.weigh([(7, 1), (2, 2), (1, 4)])))]
        case ..<330: return [.statement(insertFromItself(table))]
        case ..<350: return [copy(table)]
        case ..<780: return [.statement(update(table))]
        case ..<800: return [.statement(updateFromOther(table))]
        case ..<830 where !table.key.isEmpty: return [.statement(merge(table))]
        case ..<990: return [.statement("DELETE FROM \(only(table))\(table.name) AS w WHERE \(condition(table))")]
        default: return truncate(table)
        }
    }

    private mutating func only(_ table: Table) -> String { !table.isPartitioned && dice.chance(5) ? "ONLY " : "" }

    // MARK: Values

    private mutating func value(of column: Column) -> String {
        switch column.name {
        case "id": return String(dice.roll(1..<26))
        case "ref": return column.isNullable && dice.chance(15) ? "NULL" : String(dice.roll(1..<16))
        case "k": return String(dice.roll(0..<7))
        default:
            if column.isNullable, dice.chance(18) { return "NULL" }
            return dice.pick(Samples.of(column.type)).sql
        }
    }

    // MARK: INSERT

    private mutating func insert(into table: Table, rows: Int, conflict: String? = nil) -> String {
        let columns = table.writable
        let values = (0..<rows).map { _ in "(\(columns.map { value(of: $0) }.joined(separator: ", ")))" }
        var conflict = conflict ?? dice.weigh([(3, ""), (6, " ON CONFLICT DO NOTHING")])
        if conflict.isEmpty, !table.key.isEmpty, dice.chance(50) {
            let updated = dice.pick(columns)
            let key = table.key.joined(separator: ", ")
            conflict = " ON CONFLICT (\(key)) DO UPDATE SET \(updated.name) = EXCLUDED.\(updated.name)"
        }
        let names = columns.map(\.name).joined(separator: ", ")
        return "INSERT INTO \(table.name) (\(names)) VALUES \(values.joined(separator: ", "))\(conflict)"
    }

    private mutating func insertFromItself(_ table: Table) -> String {
        let columns = table.writable
        let moved = columns.map { $0.name == "id" ? "id + 7" : $0.name }.joined(separator: ", ")
        let names = columns.map(\.name).joined(separator: ", ")
        return """
            INSERT INTO \(table.name) (\(names)) SELECT \(moved) FROM \(table.name) AS w WHERE \(condition(table)) \
            AND id < 30 ON CONFLICT DO NOTHING
            """
    }

    private mutating func copy(_ table: Table) -> Step {
        // Values that COPY reads as they stand.
        let columns = table.columns.filter { ["id", "ref", "k"].contains($0.name) || !$0.isNullable }
        var data = ""
        for _ in 0..<dice.roll(1..<4) {
            let fields = columns.map { column -> String in
                if ["id", "ref", "k"].contains(column.name) { return value(of: column).replacing("NULL", with: "\\N") }
                return dice.pick(Samples.of(column.type)).text.replacing("\\", with: "\\\\")
            }
            data += fields.joined(separator: "\t") + "\n"
        }
        return .copy("COPY \(table.name) (\(columns.map(\.name).joined(separator: ", "))) FROM STDIN", data: data)
    }

    // MARK: UPDATE

    private mutating func assignment(_ table: Table) -> String {
        let column: Column
        if dice.chance(14) {
            column = dice.pick(table.writable.filter { ["id", "k"].contains($0.name) })
        } else {
            column = dice.pick(table.writable.filter { !["id", "k"].contains($0.name) })
        }
        if column.type.isInteger, dice.chance(35) {
            return "\(column.name) = \(column.name) \(dice.pick(["+", "-"])) \(dice.roll(1..<3))"
        }
        let twins = table.columns.filter { $0.type == column.type && $0.name != column.name }
        if !twins.isEmpty, dice.chance(10) { return "\(column.name) = \(dice.pick(twins).name)" }
        if dice.chance(6) { return "\(column.name) = \(column.name)" }
        return "\(column.name) = \(value(of: column))"
    }

    private mutating func assignments(_ table: Table) -> String {
        let first = assignment(table)
        guard dice.chance(25) else { return first }
        let second = assignment(table)
        return second.prefix { $0 != " " } == first.prefix { $0 != " " } ? first : "\(first), \(second)"
    }

    private mutating func update(_ table: Table) -> String {
        let filter = dice.chance(4) ? "" : " WHERE \(condition(table))"
        return "UPDATE \(only(table))\(table.name) AS w SET \(assignments(table))\(filter)"
    }

    private mutating func updateFromOther(_ table: Table) -> String {
        let other = dice.pick(schema.tables)
        return """
            UPDATE \(table.name) AS w SET k = o.k FROM \(other.name) AS o WHERE w.id = o.ref AND \(condition(table))
            """
    }

    private mutating func merge(_ table: Table) -> String {
        let columns = table.writable
        let names = columns.map(\.name).joined(separator: ", ")
        let values = columns.map { $0.name == "id" ? "s.id" : $0.name == "k" ? "s.k" : value(of: $0) }
        let update = dice.chance(70) ? "UPDATE SET ref = \(dice.roll(1..<16))" : "DELETE"
        return """
            MERGE INTO \(table.name) AS w USING (VALUES (\(dice.roll(1..<26)), \(dice.roll(0..<7))), \
            (\(dice.roll(26..<29)), 1)) AS s (id, k) ON w.id = s.id AND w.k = s.k WHEN MATCHED THEN \(update) \
            WHEN NOT MATCHED THEN INSERT (\(names)) VALUES (\(values.joined(separator: ", ")))
            """
    }

    /// Of the rows of `table`, known as `w`; mostly few.
    private mutating func condition(_ table: Table) -> String {
        switch dice.roll(0..<100) {
        case ..<55: return "w.id = \(dice.roll(1..<26))"
        case ..<65: return "w.id IN (\(dice.roll(1..<26)), \(dice.roll(1..<26)))"
        case ..<80: return "w.k = \(dice.roll(0..<7)) AND w.id < \(dice.roll(1..<26))"
        case ..<85: return "w.ref = \(dice.roll(1..<16))"
        default:
            var writer = QueryWriter(
                schema: schema, dice: Dice(seed: dice.seed(), .change), allowsParameters: false)
            let offered = table.columns.map { Offered(name: $0.name, type: $0.type) }
            let source = Source(sql: table.name, alias: "w", columns: offered)
            let one = writer.comparison("w.k", .integer, ["="])
            return "\(one) AND \(writer.predicate([source], depth: 2, outer: []))"
        }
    }

    // MARK: TRUNCATE

    private mutating func truncate(_ table: Table) -> [Step] {
        let cascade = dice.chance(60) ? " CASCADE" : ""
        var steps: [Step] = [.statement("TRUNCATE \(table.name)\(cascade)")]
        if dice.chance(70) {
            steps.append(.statement(insert(into: table, rows: 8, conflict: " ON CONFLICT DO NOTHING")))
        }
        return steps
    }
}
