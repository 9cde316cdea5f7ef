import WaldenTestKit

/// A read, from its text to what its answer says of the rows.
struct Query: Hashable, Sendable {
    enum Shape: Hashable, Sendable {
        case point(id: Int)
        case range(block: Int)
        case group(Int)
        /// The partition that holds the group.
        case leaf(Int)
        case aggregate(block: Int)
        /// The row of this number in the table and in the next one, if both are there.
        case join(id: Int)
    }

    var table: Int
    var shape: Shape
    var usesView = false

    /// All there are.
    static func all(_ layout: Layout) -> [Query] {
        var queries: [Query] = []
        for table in Layout.tables.indices {
            let ids = 0..<layout.rowsPerTable
            let blocks = 0..<(layout.rowsPerTable / Layout.blockSize)
            var shapes = ids.map(Shape.point) + ids.map(Shape.join) + (0..<Layout.groupCount).map(Shape.group)
            shapes += blocks.map(Shape.range) + blocks.map(Shape.aggregate)
            if Layout.tables[table] == "split" { shapes += (0..<Layout.groupCount).map(Shape.leaf) }
            queries += shapes.map { Query(table: table, shape: $0) }
            queries += blocks.map { Query(table: table, shape: .range(block: $0), usesView: true) }
        }
        return queries
    }

    static func random(_ layout: Layout, _ generator: inout SeededGenerator) -> Query {
        let table = Int.random(in: Layout.tables.indices, using: &generator)
        // Half of the reads go to a quarter of the rows.
        let isHot = Bool.random(using: &generator)
        let id = Int.random(in: 0..<(isHot ? layout.rowsPerTable / 4 : layout.rowsPerTable), using: &generator)
        let block = id / Layout.blockSize
        let group = Int.random(in: 0..<Layout.groupCount, using: &generator)
        switch Int.random(in: 0..<16, using: &generator) {
        case 0..<6: return Query(table: table, shape: .point(id: id))
        case 6..<8: return Query(table: table, shape: .range(block: block))
        case 8..<10: return Query(table: table, shape: .group(group))
        case 10: return Query(table: 2, shape: .leaf(group))
        case 11..<13: return Query(table: table, shape: .aggregate(block: block))
        case 13..<15: return Query(table: table, shape: .join(id: id))
        default: return Query(table: table, shape: .range(block: block), usesView: true)
        }
    }

    /// The text with `$1`, `$2`, and the values; queries that differ in the values only have one text.
    func statement(_ layout: Layout) -> (text: String, values: [Int]) {
        let name = Layout.tables[table] + (usesView ? "_view" : "")
        let start = "SELECT id, grp, version FROM \(name) WHERE"
        switch shape {
        case .point(let id): return ("\(start) id = $1", [id])
        case .range(let block): return ("\(start) id BETWEEN $1 AND $2 ORDER BY id", bounds(block))
        case .group(let group): return ("\(start) grp = $1 ORDER BY id", [group])
        case .leaf(let group):
            return ("SELECT id, grp, version FROM split_\(group) WHERE id >= $1 ORDER BY id", [0])
        case .aggregate(let block):
            let lists = ["id", "grp", "version"].map { "array_agg(\($0) ORDER BY id)" }.joined(separator: ", ")
            return ("SELECT \(lists), count(*) FROM \(name) WHERE id BETWEEN $1 AND $2", bounds(block))
        case .join(let id):
            let other = Layout.tables[nextTable]
            return (
                "SELECT a.id, a.grp, a.version, b.id, b.grp, b.version FROM \(name) AS a "
                    + "JOIN \(other) AS b ON b.id = a.id WHERE a.id = $1", [id]
            )
        }
    }

    /// The text with the values in it.
    func text(_ layout: Layout) -> String {
        let (text, values) = statement(layout)
        var parts = text.split(separator: "$", omittingEmptySubsequences: false)
        for index in parts.indices.dropFirst() {
            guard let number = parts[index].first?.wholeNumberValue, number <= values.count else { continue }
            parts[index] = Substring("\(values[number - 1])" + parts[index].dropFirst())
        }
        return parts.joined()
    }

    /// What an answer says; nil when it is not of the form that the query has.
    func parts(_ answer: [[String?]], _ layout: Layout) -> [Part]? {
        switch shape {
        case .point(let id): return rows(answer, layout.row(table, id)..<(layout.row(table, id) + 1), nil, layout)
        case .range(let block): return rows(answer, range(block, layout), nil, layout)
        case .group(let group), .leaf(let group): return rows(answer, layout.rows(ofTable: table), group, layout)
        case .aggregate(let block): return lists(answer, range(block, layout), layout)
        case .join(let id): return pair(answer, id, layout)
        }
    }

    private var nextTable: Int { (table + 1) % Layout.tables.count }

    private func bounds(_ block: Int) -> [Int] {
        [block * Layout.blockSize, (block + 1) * Layout.blockSize - 1]
    }

    private func range(_ block: Int, _ layout: Layout) -> Range<Int> {
        let first = layout.row(table, block * Layout.blockSize)
        return first..<(first + Layout.blockSize)
    }

    private func rows(_ answer: [[String?]], _ range: Range<Int>, _ group: Int?, _ layout: Layout) -> [Part]? {
        var part = Part(rows: range, group: group, seen: [])
        for row in answer {
            guard let sighting = sighting(row[...], table, layout) else { return nil }
            part.seen.append(sighting)
        }
        return [part]
    }

    private func lists(_ answer: [[String?]], _ range: Range<Int>, _ layout: Layout) -> [Part]? {
        guard answer.count == 1, answer[0].count == 4, let count = answer[0][3].flatMap({ Int($0) }) else { return nil }
        let lists = answer[0][..<3].map { text in
            (text ?? "{}").dropFirst().dropLast().split(separator: ",").compactMap { Int($0) }
        }
        guard lists.allSatisfy({ $0.count == count }) else { return nil }
        var part = Part(rows: range, group: nil, seen: [])
        for index in 0..<count where (0..<layout.rowsPerTable).contains(lists[0][index]) {
            let row = layout.row(table, lists[0][index])
            part.seen.append(Sighting(row: row, version: lists[2][index], group: lists[1][index]))
        }
        return part.seen.count == count ? [part] : nil
    }

    private func pair(_ answer: [[String?]], _ id: Int, _ layout: Layout) -> [Part]? {
        // One of the two is missing, nobody knows which.
        guard let row = answer.first else { return [] }
        guard answer.count == 1, row.count == 6, let left = sighting(row[..<3], table, layout),
            let right = sighting(row[3...], nextTable, layout)
        else { return nil }
        return [left, right].map { Part(rows: $0.row..<($0.row + 1), group: nil, seen: [$0]) }
    }

    private func sighting(_ values: ArraySlice<String?>, _ table: Int, _ layout: Layout) -> Sighting? {
        let integers = values.compactMap { $0.flatMap { Int($0) } }
        guard integers.count == 3, (0..<layout.rowsPerTable).contains(integers[0]) else { return nil }
        return Sighting(row: layout.row(table, integers[0]), version: integers[2], group: integers[1])
    }
}
