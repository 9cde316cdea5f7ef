import Testing
import WaldenConsole
import WaldenCore
import WaldenWire

/// Sessions of the console, message by message.
@Suite struct MachineTests {
    private static let version = ConsoleTable(
        columns: ConsoleView.version.columns, rows: [[.text("Walden 1")], [.text("Walden 2")], [.text("Walden 3")]])

    @Test func greetsAsAServerDoes() {
        var session = ConsoleMachine(role: .stats)
        session.greet()
        let lines = BackendReader.messages(in: session.takeOutput()).map(\.text)
        #expect(lines.first == "Authentication ok")
        #expect(lines.contains("Status client_encoding=UTF8"))
        #expect(lines.contains("Status standard_conforming_strings=on"))
        #expect(lines.last == "Ready idle")
    }

    // MARK: Simple queries

    @Test func showsRows() {
        var session = Transcript(.stats, outcomes: [.table(Self.version)])
        #expect(
            session.query("SHOW VERSION") == [
                "! show VERSION", "Columns version:25", "Row Walden 1", "Row Walden 2", "Row Walden 3", "Complete SHOW",
                "Ready idle",
            ])
    }

    @Test func executesTheStatementsOfATextInOrder() {
        var session = Transcript(outcomes: [.done(remarks: ["two settings need a restart"]), .table(Self.version)])
        #expect(
            session.query("RELOAD; SELECT 1; SHOW VERSION;") == [
                "! reload", "Notice two settings need a restart", "Complete RELOAD", "Columns ?column?:23", "Row 1",
                "Complete SELECT 1", "! show VERSION", "Columns version:25", "Row Walden 1", "Row Walden 2",
                "Row Walden 3", "Complete SHOW", "Ready idle",
            ])
    }

    @Test func executesNothingOfATextWithAMistake() {
        var session = Transcript()
        #expect(
            session.query("RELOAD; REALOD") == ["Error 42601 \"REALOD\" is no command of the console", "Ready idle"])
    }

    @Test func stopsATextAtARefusal() {
        let refusal = ConsoleRefusal(.invalidCatalogName, "no such database")
        var session = Transcript(outcomes: [.refused(refusal)])
        #expect(
            session.query("PAUSE nix; FLUSH") == [
                "! pause(database: Optional(\"nix\"))", "Error 3D000 no such database", "Ready idle",
            ])
    }

    @Test(arguments: ["", " ;; ", "-- nothing"])
    func answersAnEmptyText(text: String) {
        var session = Transcript()
        #expect(session.query(text) == ["Empty", "Ready idle"])
    }

    @Test func remembersTransactions() {
        var session = Transcript()
        #expect(session.query("BEGIN") == ["Complete BEGIN", "Ready inTransaction"])
        #expect(session.query("SET datestyle = 'ISO'") == ["Complete SET", "Ready inTransaction"])
        #expect(session.query("nonsense") == ["Error 42601 \"nonsense\" is no command of the console", "Ready failed"])
        #expect(
            session.query("SHOW POOLS") == [
                "Error 25P02 current transaction is aborted, commands ignored until end of transaction block",
                "Ready failed",
            ])
        #expect(session.query("COMMIT") == ["Complete ROLLBACK", "Ready idle"])
        #expect(session.query("BEGIN; COMMIT") == ["Complete BEGIN", "Complete COMMIT", "Ready idle"])
    }

    @Test func letsStatsRolesShowOnly() {
        var session = Transcript(.stats)
        for (text, tag) in [
            ("PAUSE", "PAUSE"), ("RESUME", "RESUME"), ("RECONNECT", "RECONNECT"), ("KILL", "KILL"),
            ("KILL_CLIENT 1", "KILL_CLIENT"), ("RELOAD", "RELOAD"), ("FLUSH", "FLUSH"),
        ] {
            #expect(session.query(text) == ["Error 42501 permission denied for \(tag)", "Ready idle"])
        }
    }

    @Test func tellsOfRowsLeftOut() {
        let table = ConsoleTable(columns: ConsoleView.version.columns, rows: [], omitted: 7)
        var session = Transcript(outcomes: [.table(table)])
        #expect(session.query("SHOW CLIENTS").contains("Notice 7 more connections are not shown"))
    }

    // MARK: Extended queries

    @Test func answersAnExtendedQuery() {
        var session = Transcript(outcomes: [.table(Self.version)])
        session.send(
            Parse(query: "SHOW VERSION").encoded(), Bind(resultFormats: [.binary]).encoded(),
            Describe(.portal).encoded(), Execute().encoded(), Sync().encoded())
        #expect(
            session.lines == [
                "ParseComplete", "BindComplete", "Columns version:25b", "! show VERSION", "Row Walden 1",
                "Row Walden 2", "Row Walden 3", "Complete SHOW", "Ready idle",
            ])
    }

    @Test func describesWithoutExecuting() {
        var session = Transcript()
        session.send(
            Parse(name: "a", query: "SHOW LAG", parameterTypes: [.int4]).encoded(),
            Parse(name: "b", query: "RELOAD").encoded(), Describe(.statement, name: "a").encoded(),
            Describe(.statement, name: "b").encoded(), Flush().encoded(), Sync().encoded())
        #expect(
            session.lines == [
                "ParseComplete", "ParseComplete", "Parameters [23]",
                "Columns name:25 lag_bytes:20 lag_seconds:701", "Parameters []", "NoData", "Ready idle",
            ])
    }

    @Test func suspendsAPortal() {
        var session = Transcript(outcomes: [.table(Self.version)])
        session.send(
            Query("BEGIN").encoded(), Parse(query: "SHOW VERSION").encoded(), Bind(portal: "p").encoded(),
            Execute(portal: "p", maxRows: 2).encoded(), Sync().encoded(),
            Execute(portal: "p", maxRows: 2).encoded(), Execute(portal: "p").encoded(), Sync().encoded())
        #expect(
            session.lines == [
                "Complete BEGIN", "Ready inTransaction", "ParseComplete", "BindComplete", "! show VERSION",
                "Row Walden 1", "Row Walden 2", "Suspended", "Ready inTransaction", "Row Walden 3", "Complete SHOW",
                "Complete SHOW", "Ready inTransaction",
            ])
    }

    @Test func portalsEndWithTheirTransaction() {
        var session = Transcript(outcomes: [.table(Self.version)])
        session.send(
            Parse(query: "SHOW VERSION").encoded(), Bind(portal: "p").encoded(), Sync().encoded(),
            Execute(portal: "p").encoded(), Sync().encoded())
        #expect(session.lines.suffix(2) == ["Error 34000 portal \"p\" does not exist", "Ready idle"])
    }

    @Test func ignoresEverythingBetweenAnErrorAndTheSync() {
        var session = Transcript()
        session.send(
            Parse(query: "SHOW NIX").encoded(), Bind().encoded(), Describe(.portal).encoded(), Execute().encoded(),
            Query("SELECT 1").encoded(), Sync().encoded(), Query("SELECT 1").encoded())
        #expect(
            session.lines == [
                "Error 42601 \"SHOW NIX\" is no command of the console", "Ready idle", "Columns ?column?:23", "Row 1",
                "Complete SELECT 1", "Ready idle",
            ])
    }

    @Test func aCommandRunsOnceAPortal() {
        var session = Transcript()
        session.send(
            Parse(query: "FLUSH").encoded(), Bind().encoded(), Execute().encoded(), Execute().encoded(),
            Sync().encoded())
        #expect(
            session.lines == [
                "ParseComplete", "BindComplete", "! flush(nil)", "Complete FLUSH",
                "Error 55000 portal \"\" cannot be run anymore", "Ready idle",
            ])
    }

    @Test(arguments: [
        ([Bind(statement: "x").encoded()], "Error 26000 prepared statement \"x\" does not exist"),
        ([Bind().encoded()], "Error 26000 unnamed prepared statement does not exist"),
        ([Execute(portal: "x").encoded()], "Error 34000 portal \"x\" does not exist"),
        ([Describe(.portal, name: "x").encoded()], "Error 34000 portal \"x\" does not exist"),
        (
            [Parse(name: "x", query: "SELECT 1").encoded(), Parse(name: "x", query: "SELECT 1").encoded()],
            "Error 42P05 prepared statement \"x\" already exists"
        ),
        (
            [Parse(query: "SELECT 1").encoded(), Bind(portal: "x").encoded(), Bind(portal: "x").encoded()],
            "Error 42P03 cursor \"x\" already exists"
        ),
        (
            [Parse(query: "SELECT 1").encoded(), Bind(values: [nil]).encoded()],
            "Error 08P01 bind message supplies 1 parameters, but prepared statement \"\" requires 0"
        ),
        (
            [Parse(query: "SELECT 1").encoded(), Bind(resultFormats: [.text, .binary]).encoded()],
            "Error 08P01 bind message has 2 result formats but query has 1 columns"
        ),
        (
            [Parse(query: "SELECT 1; SELECT 2").encoded()],
            "Error 42601 cannot insert multiple commands into a prepared statement"
        ),
    ])
    func refusesWhatPostgreSQLRefuses(messages: [[UInt8]], error: String) {
        var session = Transcript()
        for message in messages { session.send(message) }
        session.send(Sync().encoded())
        #expect(session.lines.suffix(2) == [error, "Ready idle"])
    }

    @Test func holdsABoundedNumberOfStatementsAndPortals() {
        var limits = ConsoleLimits()
        limits.statements = 2
        limits.portals = 2
        var session = Transcript(limits: limits)
        for name in ["a", "b", "c"] { session.send(Parse(name: name, query: "SELECT 1").encoded()) }
        session.send(Sync().encoded(), Close(.statement, name: "a").encoded())
        session.send(Parse(name: "c", query: "SELECT 1").encoded(), Sync().encoded())
        for name in ["a", "b", "c"] { session.send(Bind(portal: name, statement: "b").encoded()) }
        session.send(Sync().encoded())
        #expect(
            session.lines == [
                "ParseComplete", "ParseComplete", "Error 54000 the console holds at most 2 prepared statements",
                "Ready idle", "CloseComplete", "ParseComplete", "Ready idle", "BindComplete", "BindComplete",
                "Error 54000 the console holds at most 2 portals", "Ready idle",
            ])
    }

    // MARK: Framing

    @Test func isTheSameByteByByte() {
        let messages =
            Query("SELECT 1; SHOW client_encoding").encoded() + Parse(query: "SELECT 2").encoded() + Bind().encoded()
            + Execute().encoded() + Sync().encoded()
        var whole = Transcript()
        whole.send(messages)
        var machine = ConsoleMachine(role: .admin)
        var input: [UInt8] = []
        var output: [UInt8] = []
        for byte in messages {
            input.append(byte)
            while case .handled(let count) = machine.nextStep(input.span.bytes) { input.removeFirst(count) }
            output += machine.takeOutput()
        }
        #expect(BackendReader.messages(in: output).map(\.text) == whole.lines)
        #expect(input.isEmpty)
    }

    @Test func endsASessionThatBreaksTheFraming() {
        var long = Transcript()
        long.send([UInt8(ascii: "Q"), 0x7F, 0, 0, 0])
        #expect(long.lines == ["Error FATAL 08P01 invalid message length", "closed"])
        var unknown = Transcript()
        unknown.send([UInt8(ascii: "!"), 0, 0, 0, 4])
        #expect(unknown.lines == ["Error FATAL 08P01 invalid frontend message type 33", "closed"])
        var password = Transcript()
        password.send([UInt8(ascii: "p"), 0, 0, 0, 4])
        #expect(password.lines.last == "closed")
    }

    @Test func goesOnAfterABodyThatCannotBeRead() {
        var session = Transcript()
        session.send([UInt8(ascii: "Q"), 0, 0, 0, 6, 0xFF, 0], Query("SELECT 1").encoded())
        #expect(
            session.lines == [
                "Error 22021 invalid byte sequence for encoding \"UTF8\"", "Ready idle", "Columns ?column?:23",
                "Row 1", "Complete SELECT 1", "Ready idle",
            ])
    }

    @Test func takesNothingWhileARequestIsCarriedOut() {
        var machine = ConsoleMachine(role: .admin)
        let query = Query("PAUSE").encoded()
        #expect(
            machine.nextStep(query.span.bytes)
                == .execute(byteCount: query.count, .command(.pause(database: nil))))
        #expect(machine.nextStep(query.span.bytes) == .needMore)
        #expect(!machine.isQuiescent)
        machine.answered(.done(remarks: []))
        #expect(machine.nextStep(query.span.bytes) == .handled(byteCount: 0))
        #expect(machine.isQuiescent)
    }

    /// Whatever a client sends, the session answers or ends; it never consumes more than is there nor stands still.
    @Test(arguments: 0..<200)
    func survivesRandomBytes(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var machine = ConsoleMachine(role: seed % 2 == 0 ? .admin : .stats)
        var input: [UInt8] = []
        let known = [
            Query("SHOW POOLS; BEGIN; SHOW LAG").encoded(), Parse(query: "SHOW TOTALS").encoded(), Bind().encoded(),
            Execute(maxRows: 1).encoded(), Describe(.portal).encoded(), Sync().encoded(), Close(.portal).encoded(),
        ]
        for _ in 0..<60 {
            var message = known[Int(random.next() % UInt64(known.count))]
            if random.next() % 3 == 0, !message.isEmpty {
                message[Int(random.next() % UInt64(message.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            input += message
            loop: while true {
                let step = machine.nextStep(input.span.bytes)
                _ = machine.takeOutput()
                switch step {
                case .needMore: break loop
                case .handled(let count):
                    #expect(count <= input.count)
                    input.removeFirst(count)
                case .execute(let count, _):
                    #expect(count <= input.count)
                    input.removeFirst(count)
                    machine.answered(random.next() % 2 == 0 ? .table(Self.version) : .done(remarks: ["x"]))
                case .close: return
                }
            }
        }
    }
}
