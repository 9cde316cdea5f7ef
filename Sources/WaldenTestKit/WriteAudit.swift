/// What writers were told, compared with what the primary holds in `writes (id)`.
public struct WriteAudit: Sendable {
    /// Acknowledged, and in no row.
    public let lost: [Int]
    /// In more than one row, acknowledged or not.
    public let twice: [Int]

    /// - Parameters:
    ///   - acknowledged: The numbers whose writers were told that they had been written.
    ///   - condition: Of the rows that are compared, in SQL.
    public init(acknowledged: [Int], on primary: SQLClient, where condition: String = "true") throws {
        // A comment keeps a cache in between from answering with what an earlier ledger saw.
        let rows = try primary.query(
            "/* ledger of \(acknowledged.count) */ SELECT id, count(*) FROM writes WHERE \(condition) GROUP BY id"
        ).texts
        let counts = try Dictionary(
            uniqueKeysWithValues: rows.map { row in
                guard let id = row[0].flatMap({ Int($0) }), let count = row[1].flatMap({ Int($0) }) else {
                    throw TestKitError("a row of the ledger is no pair of numbers: \(row)")
                }
                return (id, count)
            })
        lost = acknowledged.filter { counts[$0] == nil }
        twice = counts.filter { $0.value > 1 }.keys.sorted()
    }
}
