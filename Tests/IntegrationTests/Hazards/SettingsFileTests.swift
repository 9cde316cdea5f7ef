import Testing
import WaldenTestKit

/// Hazard: `postgresql.conf`. A new session begins with other settings than those under which a result was kept, and says
/// nothing of them.
@Suite(.serialized) struct SettingsFileTests {
    @Test func anotherDefaultMakesKeptResultsGo() throws {
        let schema = "CREATE TABLE bytes (id int PRIMARY KEY, value bytea); INSERT INTO bytes VALUES (1, 'abc')"
        let stack = try WaldenStack.start(.init(schema: schema))
        let sql = "SELECT value FROM bytes WHERE id = 1"
        #expect(try stack.warm(try stack.proxied(), sql) == [["\\x616263"]])
        try stack.cluster.primary.configure(["bytea_output": "escape"])
        stack.cluster.primary.reload()
        // It is looked at every two seconds.
        try eventually("a new session is answered by its own settings", timeout: .seconds(10)) {
            try stack.proxied().query(sql).texts == [["abc"]]
        }
    }
}
