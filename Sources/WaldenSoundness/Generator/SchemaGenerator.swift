/// Makes the tables of a world: plain, partitioned, with children, bound by foreign keys.
///
/// All have `id`, `ref` and `k`, integers of few values by which they join; the other columns are named after their
/// type, so that NATURAL and USING find columns of the same type.
struct SchemaGenerator {
    private var dice: Dice
    private var schema = Schema(statements: Schema.common)
    /// Plain tables with the primary key `id`, which foreign keys may name.
    private var targets: [String] = []

    static func schema(seed: UInt64) -> Schema {
        var generator = SchemaGenerator(dice: Dice(seed: seed, .schema))
        return generator.generate()
    }

    private init(dice: Dice) {
        self.dice = dice
    }

    private mutating func generate() -> Schema {
        let count = dice.roll(3..<6)
        for number in 0..<count {
            switch dice.roll(0..<100) {
            case ..<22: partitioned("t\(number)")
            case ..<34: family("t\(number)")
            default: plain("t\(number)")
            }
        }
        return schema
    }

    // MARK: Columns

    private mutating func columns() -> [Column] {
        var columns = [
            Column(name: "id", type: .integer, isNullable: false), Column(name: "ref", type: .integer),
            Column(name: "k", type: .integer, isNullable: false),
        ]
        var numbers: [ColumnType: Int] = [:]
        for _ in 0..<dice.roll(2..<7) {
            let type = dice.pick(ColumnType.allCases)
            numbers[type, default: 0] += 1
            let name = "\(type.rawValue.lowercased())_\(numbers[type, default: 1])"
            columns.append(Column(name: name, type: type, isNullable: !dice.chance(15)))
        }
        if dice.chance(20) { columns.append(Column(name: "gen", type: .integer, generated: "k * 2 - id")) }
        return columns
    }

    private mutating func identity(hasKey: Bool, hasIndex: Bool) -> Identity {
        guard hasKey || hasIndex else { return .full }
        if hasIndex, !hasKey || dice.chance(50) { return .index }
        return hasKey && dice.chance(60) ? .primaryKey : .full
    }

    private mutating func setIdentity(_ identity: Identity, of table: String) {
        switch identity {
        case .primaryKey: break
        case .full: schema.statements.append("ALTER TABLE \(table) REPLICA IDENTITY FULL")
        case .index: schema.statements.append("ALTER TABLE \(table) REPLICA IDENTITY USING INDEX \(table)_ref")
        }
    }

    private mutating func setStorage(_ table: String, _ columns: [Column]) {
        for column in columns where column.type == .big {
            schema.statements.append("ALTER TABLE \(table) ALTER \(column.name) SET STORAGE EXTERNAL")
        }
    }

    // MARK: Tables

    private mutating func plain(_ name: String) {
        var columns = columns()
        let key: [String] = dice.weigh([(6, ["id"]), (2, ["id", "k"]), (2, [])])
        let hasIndex = dice.chance(20)
        if hasIndex { columns[1].isNullable = false }
        var parts = columns.map(\.declaration)
        if !key.isEmpty { parts.append("PRIMARY KEY (\(key.joined(separator: ", ")))") }
        if !hasIndex, let target = targets.last, dice.chance(60) {
            let onDelete = dice.pick(["CASCADE", "SET NULL", "NO ACTION"])
            let onUpdate = dice.pick(["CASCADE", "NO ACTION"])
            parts.append("FOREIGN KEY (ref) REFERENCES \(target) (id) ON DELETE \(onDelete) ON UPDATE \(onUpdate)")
        }
        schema.statements.append("CREATE TABLE \(name) (\(parts.joined(separator: ", ")))")
        if hasIndex { schema.statements.append("CREATE UNIQUE INDEX \(name)_ref ON \(name) (ref, k)") }
        setStorage(name, columns)
        let identity = identity(hasKey: !key.isEmpty, hasIndex: hasIndex)
        setIdentity(identity, of: name)
        schema.tables.append(Table(name: name, columns: columns, key: key, identity: identity))
        if key == ["id"] { targets.append(name) }
    }

    private mutating func partitioned(_ name: String) {
        let columns = columns()
        let hasKey = dice.chance(75)
        let method = dice.pick(["LIST", "RANGE", "HASH"])
        var parts = columns.map(\.declaration)
        if hasKey { parts.append("PRIMARY KEY (id, k)") }
        schema.statements.append(
            "CREATE TABLE \(name) (\(parts.joined(separator: ", "))) PARTITION BY \(method) (k)")
        let bounds: [String] =
            switch method {
            case "LIST": ["FOR VALUES IN (0, 1, 2)", "FOR VALUES IN (3, 4)", "DEFAULT"]
            case "RANGE": ["FOR VALUES FROM (MINVALUE) TO (2)", "FOR VALUES FROM (2) TO (5)", "DEFAULT"]
            default: (0..<3).map { "FOR VALUES WITH (MODULUS 3, REMAINDER \($0))" }
            }
        let identity = identity(hasKey: hasKey, hasIndex: false)
        let key = hasKey ? ["id", "k"] : []
        schema.tables.append(
            Table(name: name, columns: columns, key: key, identity: identity, isPartitioned: true))
        let nested = dice.chance(25)
        for (index, bound) in bounds.enumerated() {
            let leaf = "\(name)_p\(index)"
            let isNested = nested && index == 1
            schema.statements.append(
                "CREATE TABLE \(leaf) PARTITION OF \(name) \(bound)" + (isNested ? " PARTITION BY RANGE (k)" : ""))
            if isNested {
                // Partitions of a partition.
                for (half, range) in ["(MINVALUE) TO (4)", "(4) TO (MAXVALUE)"].enumerated() {
                    let inner = "\(leaf)_\(half)"
                    schema.statements.append("CREATE TABLE \(inner) PARTITION OF \(leaf) FOR VALUES FROM \(range)")
                    finishPartition(inner, columns, key, identity)
                }
            } else {
                finishPartition(leaf, columns, key, identity)
            }
        }
    }

    private mutating func finishPartition(
        _ name: String, _ columns: [Column], _ key: [String], _ identity: Identity
    ) {
        setStorage(name, columns)
        setIdentity(identity, of: name)
        schema.tables.append(
            Table(name: name, columns: columns, key: key, identity: identity, isPartition: true))
    }

    /// A parent and a child by inheritance.
    private mutating func family(_ name: String) {
        let columns = columns()
        let hasKey = dice.chance(70)
        var parts = columns.map(\.declaration)
        if hasKey { parts.append("PRIMARY KEY (id)") }
        schema.statements.append("CREATE TABLE \(name) (\(parts.joined(separator: ", ")))")
        setStorage(name, columns)
        let key = hasKey ? ["id"] : []
        let identity = identity(hasKey: hasKey, hasIndex: false)
        setIdentity(identity, of: name)
        schema.tables.append(Table(name: name, columns: columns, key: key, identity: identity))
        let child = "\(name)_child"
        schema.statements.append("CREATE TABLE \(child) (extra int) INHERITS (\(name))")
        setStorage(child, columns)
        let childHasKey = dice.chance(60)
        if childHasKey { schema.statements.append("ALTER TABLE \(child) ADD PRIMARY KEY (id)") }
        let childIdentity = self.identity(hasKey: childHasKey, hasIndex: false)
        setIdentity(childIdentity, of: child)
        schema.tables.append(
            Table(
                name: child, columns: columns + [Column(name: "extra", type: .integer)],
                key: childHasKey ? ["id"] : [], identity: childIdentity))
    }
}
