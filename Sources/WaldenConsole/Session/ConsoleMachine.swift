import WaldenCore
import WaldenWire

/// Bounds on what one console session may hold.
public struct ConsoleLimits: Hashable, Sendable {
    /// The greatest length field of a message, in bytes.
    public var messageBytes = 64 * 1_024
    /// Prepared statements with a name.
    public var statements = 64
    /// Portals, each of which may hold an answer.
    public var portals = 16

    public init() {}
}

/// What the shell is to do next.
public enum ConsoleStep: Hashable, Sendable {
    /// The message at the front has not all arrived.
    case needMore
    /// So many bytes are dealt with; `takeOutput` may have grown.
    case handled(byteCount: Int)
    /// As `handled`; and the request is to be carried out. Nothing may be asked until `answered` was called.
    case execute(byteCount: Int, ConsoleRequest)
    /// The session ends after what `takeOutput` gives.
    case close(byteCount: Int)
}

/// One session of the console, after its login: the client's bytes in, answers and requests out (protocol chapter, Simple
/// Query and Extended Query).
///
/// The shell asks for the next step with the front of the unread bytes, drops the bytes that the step counts, and asks
/// again until more are needed. It carries requests out one at a time:
///
///     idle ──Query, Execute──► executing ──answered──► idle, or the next statement of the same text
///
/// Transactions are remembered but do nothing: drivers that open one are told that it is open, and after an error that it
/// has failed. Called by the console's connection alone. Never: waits, reads a clock, trusts a length, or keeps more than
/// `ConsoleLimits` says.
public struct ConsoleMachine: Sendable {
    /// What the request under way answers.
    enum Pending: Hashable {
        case statement(ConsoleStatement)
        case portal(name: String, maxRows: Int32)
    }

    let role: ConsoleRole
    let limits: ConsoleLimits
    var output: [UInt8] = []
    var status = TransactionStatus.idle
    var pending: Pending?
    /// What is left of the text of a simple query; nil when none is under way.
    private var script: ArraySlice<ConsoleStatement>?
    /// After an error in an extended query everything is ignored up to the Sync.
    private var skipsToSync = false
    var statements: [String: PreparedStatement] = [:]
    var portals: [String: Portal] = [:]

    public init(role: ConsoleRole, limits: ConsoleLimits = ConsoleLimits()) {
        self.role = role
        self.limits = limits
    }

    /// Nothing is under way, and no transaction open.
    public var isQuiescent: Bool { pending == nil && script == nil && status == .idle && !skipsToSync }

    /// What is to be sent; it is handed out once.
    public mutating func takeOutput() -> [UInt8] {
        defer { output.removeAll() }
        return output
    }

    /// The client was let in without a server's word: what a server says at the end of a login.
    ///
    /// - Parameter knows: The client has been told already that it is who it says.
    public mutating func greet(knows: Bool = false) {
        if !knows { Authentication.ok.encode(into: &output) }
        for setting in SessionSetting.all where setting.isReported {
            ParameterStatus(name: setting.name, value: setting.value).encode(into: &output)
        }
        ready()
    }

    public mutating func nextStep(_ input: borrowing RawSpan) -> ConsoleStep {
        guard pending == nil else { return .needMore }
        if script != nil { return advance(0) }
        let header: MessageHeader
        do throws(WireError) {
            guard let parsed = try MessageHeader.parse(input, at: 0, limit: limits.messageBytes) else {
                return .needMore
            }
            header = parsed
        } catch {
            return violated(error)
        }
        guard FrontendTag(rawValue: header.tag).isKnown else { return violated(.unknownTag(header.tag)) }
        guard header.byteCount <= input.byteCount else { return .needMore }
        do throws(WireError) {
            return try step(header, input)
        } catch {
            // The message's end is known, so the session may go on.
            refuse(ConsoleRefusal(error.sqlState, error.message), in: FrontendTag(rawValue: header.tag))
            return .handled(byteCount: header.byteCount)
        }
    }

    /// The request under way has come to this.
    public mutating func answered(_ outcome: ConsoleOutcome) {
        guard let pending else { return }
        self.pending = nil
        switch pending {
        case .statement(let statement):
            do throws(ConsoleRefusal) {
                let table = try take(outcome)
                complete(statement, table)
            } catch {
                refuse(error, in: .query)
            }
        case .portal(let name, let maxRows):
            do throws(ConsoleRefusal) {
                let table = try take(outcome)
                portals[name]?.fill(table)
                try run(name, maxRows)
            } catch {
                refuse(error, in: .execute)
            }
        }
    }

    private mutating func violated(_ error: WireError) -> ConsoleStep {
        ErrorResponse(error).encode(into: &output)
        return .close(byteCount: 0)
    }

    private mutating func step(_ header: MessageHeader, _ input: borrowing RawSpan) throws(WireError) -> ConsoleStep {
        let tag = FrontendTag(rawValue: header.tag)
        let body = header.body(at: 0)
        if tag == .terminate { return .close(byteCount: header.byteCount) }
        if tag == .sync {
            _ = try Sync(in: input, body: body)
            sync()
            return .handled(byteCount: header.byteCount)
        }
        if skipsToSync { return .handled(byteCount: header.byteCount) }
        switch tag {
        case .query: return begin(try Query(in: input, body: body).text, header.byteCount)
        case .parse, .bind, .describe, .execute, .close: return try extended(tag, header, input)
        case .functionCall:
            refuse(ConsoleRefusal(.featureNotSupported, "the console has no functions"), in: tag)
            return .handled(byteCount: header.byteCount)
        case .password: return violated(.unknownTag(header.tag))
        // A Flush asks for what is sent anyway; COPY data after an error is to be ignored (protocol chapter, COPY).
        default: return .handled(byteCount: header.byteCount)
        }
    }

    // MARK: Simple queries

    private mutating func begin(_ text: String, _ byteCount: Int) -> ConsoleStep {
        do throws(ConsoleRefusal) {
            // All are read first: of a text with a mistake nothing is executed.
            var parsed: [ConsoleStatement] = []
            for tokens in try ConsoleLexer.statements(in: text) { parsed.append(try ConsoleParser.parse(tokens)) }
            script = parsed[...]
            if parsed.isEmpty { EmptyQueryResponse().encode(into: &output) }
            return advance(byteCount)
        } catch {
            refuse(error, in: .query)
            return .handled(byteCount: byteCount)
        }
    }

    /// Executes statements until one needs the shell, or none is left.
    private mutating func advance(_ byteCount: Int) -> ConsoleStep {
        while let statement = script?.popFirst() {
            do throws(ConsoleRefusal) {
                if let request = try request(of: statement) {
                    pending = .statement(statement)
                    return .execute(byteCount: byteCount, request)
                }
                complete(statement, statement.constantTable)
            } catch {
                refuse(error, in: .query)
                return .handled(byteCount: byteCount)
            }
        }
        script = nil
        ready()
        return .handled(byteCount: byteCount)
    }

    /// What the shell must do for it, if anything.
    mutating func request(of statement: ConsoleStatement) throws(ConsoleRefusal) -> ConsoleRequest? {
        try checkTransaction(statement)
        switch statement {
        case .show(let view): return .show(view)
        case .command(let command):
            guard role == .admin else {
                throw ConsoleRefusal(
                    .insufficientPrivilege, "permission denied for \(command.tag)",
                    hint: "Roles of console.stats_users may use SHOW alone; name the role in console.admin_users.")
            }
            return .command(command)
        default: return nil
        }
    }

    func checkTransaction(_ statement: ConsoleStatement) throws(ConsoleRefusal) {
        guard status != .failed || statement.endsTransaction else {
            throw ConsoleRefusal(
                .inFailedSQLTransaction,
                "current transaction is aborted, commands ignored until end of transaction block")
        }
    }

    /// Its rows, if it has any, with their description, and its end.
    private mutating func complete(_ statement: ConsoleStatement, _ table: ConsoleTable?) {
        if let table {
            RowDescription(table.columns, []).encode(into: &output)
            for row in table.rows { append(row, []) }
        }
        finish(statement)
    }

    // MARK: What both kinds of queries need

    /// The table it brings, if it brings one; its remarks become notices.
    private mutating func take(_ outcome: ConsoleOutcome) throws(ConsoleRefusal) -> ConsoleTable? {
        switch outcome {
        case .refused(let refusal): throw refusal
        case .table(let table):
            if table.omitted > 0 { note("\(table.omitted) more connections are not shown") }
            return table
        case .done(let remarks):
            for remark in remarks { note(remark) }
            return nil
        }
    }

    private mutating func note(_ text: String) {
        NoticeResponse(sqlState: .successfulCompletion, message: text).encode(into: &output)
    }

    mutating func append(_ row: [ConsoleValue], _ formats: [FormatCode]) {
        let values = row.enumerated().map { index, value in value.encoded(formats.format(of: index)) }
        DataRow(values).encode(into: &output)
    }

    /// The tag of a statement that has ended well, and what it does to the transaction.
    mutating func finish(_ statement: ConsoleStatement) {
        let tag: String
        switch statement {
        case .empty:
            EmptyQueryResponse().encode(into: &output)
            return
        case .show: tag = "SHOW"
        case .constant(_, _, let own), .ignored(let own): tag = own
        case .command(let command): tag = command.tag
        case .begin:
            tag = "BEGIN"
            status = .inTransaction
        case .commit:
            tag = status == .failed ? "ROLLBACK" : "COMMIT"
            status = .idle
        case .rollback:
            tag = "ROLLBACK"
            status = .idle
        }
        CommandComplete(tag).encode(into: &output)
    }

    /// - Parameter tag: The message that is refused: in an extended query all is ignored then up to the Sync.
    mutating func refuse(_ refusal: ConsoleRefusal, in tag: FrontendTag) {
        refusal.response.encode(into: &output)
        if status == .inTransaction { status = .failed }
        script = nil
        switch tag {
        case .query, .functionCall, .sync: ready()
        default: skipsToSync = true
        }
    }

    private mutating func sync() {
        skipsToSync = false
        if status == .idle { portals.removeAll() }
        ready()
    }

    private mutating func ready() {
        ReadyForQuery(status).encode(into: &output)
    }
}

extension RowDescription {
    init(_ columns: [ConsoleColumn], _ formats: [FormatCode]) {
        self.init(
            columns.enumerated().map { index, column in
                Column(
                    name: column.name, type: column.type.oid, typeSize: column.type.size,
                    format: formats.format(of: index))
            })
    }
}

extension [FormatCode] {
    /// None: all text; one: for all columns; else one for each (Message Formats, Bind).
    func format(of column: Int) -> FormatCode {
        switch count {
        case 0: .text
        case 1: self[0]
        default: column < count ? self[column] : .text
        }
    }
}

extension ConsoleStatement {
    var constantTable: ConsoleTable? {
        guard case .constant(let column, let value, _) = self else { return nil }
        return ConsoleTable(columns: [column], rows: [[value]])
    }
}
