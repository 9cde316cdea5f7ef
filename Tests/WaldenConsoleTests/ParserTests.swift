import Testing
import WaldenWire

@testable import WaldenConsole

/// The console's language, as a table.
@Suite struct ParserTests {
    @Test(
        arguments: [
            ("SHOW POOLS", .show(.pools)),
            ("show pools;", .show(.pools)),
            (" Show\n\tLag  History ; ", .show(.lagHistory)),
            ("/* a /* nested */ one */ SHOW -- two\n LAG", .show(.lag)),
            ("SHOW STATS_TOTALS", .show(.statsTotals)),
            ("PAUSE", .command(.pause(database: nil))),
            ("pause Shop", .command(.pause(database: "shop"))),
            ("PAUSE \"Sh\"\"op\"", .command(.pause(database: "Sh\"op"))),
            ("RESUME shop", .command(.resume(database: "shop"))),
            ("RECONNECT", .command(.reconnect(database: nil))),
            ("KILL 'shop'", .command(.kill(database: "shop"))),
            ("KILL_CLIENT 17", .command(.killClient(17))),
            ("RELOAD", .command(.reload)),
            ("FLUSH", .command(.flush(nil))),
            ("flush cache", .command(.flush(nil))),
            ("FLUSH Orders", .command(.flush(RelationName(name: "orders")))),
            ("FLUSH \"cache\"", .command(.flush(RelationName(name: "cache")))),
            ("FLUSH shop.Orders", .command(.flush(RelationName(schema: "shop", name: "orders")))),
            ("FLUSH \"My Shop\".orders", .command(.flush(RelationName(schema: "My Shop", name: "orders")))),
            ("FLUSH shop.\"Orders\"", .command(.flush(RelationName(schema: "shop", name: "Orders")))),
            ("FLUSH \"a.b\" . \"c\"", .command(.flush(RelationName(schema: "a.b", name: "c")))),
            ("BEGIN", .begin),
            ("START TRANSACTION READ ONLY", .begin),
            ("COMMIT", .commit),
            ("END", .commit),
            ("ROLLBACK", .rollback),
            ("DISCARD ALL", .ignored(tag: "DISCARD ALL")),
            ("RESET ALL", .ignored(tag: "RESET")),
            ("CLOSE ALL", .ignored(tag: "CLOSE CURSOR ALL")),
            ("UNLISTEN *", .ignored(tag: "UNLISTEN")),
            ("SET client_encoding TO 'utf-8'", .ignored(tag: "SET")),
            ("SET SESSION extra_float_digits = 3", .ignored(tag: "SET")),
            ("SET application_name = 'x; y'", .ignored(tag: "SET")),
            ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", .ignored(tag: "SET")),
            ("SELECT 1", .constant(ConsoleColumn("?column?", .int4), .int4(1), tag: "SELECT 1")),
            ("SHOW client_encoding", .constant(ConsoleColumn("client_encoding", .text), .text("UTF8"), tag: "SHOW")),
            (
                "SHOW TRANSACTION ISOLATION LEVEL",
                .constant(ConsoleColumn("transaction_isolation", .text), .text("read committed"), tag: "SHOW")
            ),
        ] as [(String, ConsoleStatement)])
    func reads(text: String, statement: ConsoleStatement) throws {
        let tokens = try ConsoleLexer.statements(in: text)
        #expect(tokens.count == 1)
        #expect(try ConsoleParser.parse(try #require(tokens.first)) == statement)
    }

    @Test(arguments: [
        ("SHOW", "42601", "\"SHOW\" is no command of the console"),
        ("SHOW NOTHING", "42601", "\"SHOW NOTHING\" is no command of the console"),
        ("SHOW \"pools\"", "42601", "\"SHOW pools\" is no command of the console"),
        ("SHOW FDS", "0A000", "SHOW FDS is not supported"),
        ("DROP TABLE x", "42601", "\"DROP TABLE x\" is no command of the console"),
        ("PAUSE a b", "42601", "PAUSE takes one database, or none for all"),
        ("KILL =", "42601", "KILL takes the name of a database"),
        ("KILL \"\"", "42601", "KILL takes the name of a database"),
        ("KILL_CLIENT", "42601", "KILL_CLIENT takes the id of one client"),
        ("KILL_CLIENT -1", "42601", "KILL_CLIENT takes the id of one client"),
        ("KILL_CLIENT 99999999999999999999", "42601", "KILL_CLIENT takes the id of one client"),
        ("FLUSH a b", "42601", "FLUSH takes nothing, CACHE, or the name of a relation"),
        ("FLUSH a.b.c", "42601", "FLUSH takes nothing, CACHE, or the name of a relation"),
        ("FLUSH .", "42601", "FLUSH takes nothing, CACHE, or the name of a relation"),
        ("FLUSH a.", "42601", "FLUSH takes nothing, CACHE, or the name of a relation"),
        ("FLUSH \"\"", "42601", "FLUSH takes nothing, CACHE, or the name of a relation"),
        ("FLUSH 'a'", "42601", "FLUSH takes nothing, CACHE, or the name of a relation"),
        ("SET log_level = 'debug'", "42704", "the console has no setting \"log_level\""),
        ("SET client_encoding = 'latin1'", "22023", "the console speaks UTF8 only"),
        ("ROLLBACK TO SAVEPOINT a", "42601", "\"ROLLBACK TO SAVEPOINT\" is no command of the console"),
        ("SELECT * FROM pg_class", "0A000", "the console executes no SQL"),
        ("SELECT 99999999999", "0A000", "the console executes no SQL"),
        ("SHOW 'POOLS", "42601", "unterminated quoted text"),
        ("SHOW POOLS /*", "42601", "unterminated /* comment"),
        ("€", "42601", "\"€\" is no command of the console"),
    ])
    func refuses(text: String, state: String, message: String) {
        #expect(throws: (any Error).self) { try Self.parse(text) }
        do { try Self.parse(text) } catch let refusal as ConsoleRefusal {
            #expect(refusal.sqlState.code == state)
            #expect(refusal.message == message)
        } catch {
            Issue.record("\(error)")
        }
    }

    private static func parse(_ text: String) throws {
        for tokens in try ConsoleLexer.statements(in: text) { _ = try ConsoleParser.parse(tokens) }
    }

    @Test func longTextsAreQuotedInPart() {
        let word = String(repeating: "x", count: 200)
        #expect(throws: ConsoleRefusal.self) { try Self.parse(word) }
        do { try Self.parse(word) } catch { #expect("\(error)".count < 500) }
    }

    @Test func statementsHaveALimit() throws {
        let text = String(repeating: "SELECT 1;", count: ConsoleLexer.statementLimit)
        #expect(throws: ConsoleRefusal.self) { try ConsoleLexer.statements(in: text) }
    }
}
