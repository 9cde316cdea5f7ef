import Testing
import WaldenTestKit

/// Hazard: other databases of the cluster. The stream tells of one database; nothing of another may be kept.
@Suite(.serialized) struct DatabaseTests {
    @Test func anotherDatabaseIsOnlyRelayed() throws {
        let schema = "CREATE TABLE stock (id int PRIMARY KEY, amount int); INSERT INTO stock VALUES (7, 7)"
        let stack = try WaldenStack.start(.init(schema: schema))
        try stack.direct().query("CREATE DATABASE other")
        let writer = try stack.cluster.primary.connect(database: "other")
        try writer.query(schema)
        let sql = "SELECT amount FROM stock WHERE id = 7"
        try stack.warm(try stack.proxied(), sql)
        let reader = try stack.walden.connect(database: "other")
        let hits = try stack.hits {
            for amount in 1...5 {
                try writer.query("UPDATE stock SET amount = \(amount)")
                for _ in 0..<3 { #expect(try reader.scalar(sql) == "\(amount)") }
            }
        }
        #expect(hits == 0)
    }
}
