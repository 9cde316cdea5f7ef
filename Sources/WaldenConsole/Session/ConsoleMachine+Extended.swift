import WaldenCore
import WaldenWire

/// What Parse made.
struct PreparedStatement: Hashable {
    let statement: ConsoleStatement
    let parameterTypes: [TypeID]
}

/// What Bind made, and how far it has been executed.
struct Portal: Hashable {
    enum Progress: Hashable {
        case ready
        /// The rows from the index on have not been sent.
        case rows(ConsoleTable, next: Int)
        case finished
    }

    let statement: ConsoleStatement
    let formats: [FormatCode]
    var progress = Progress.ready

    /// It was carried out.
    mutating func fill(_ table: ConsoleTable?) {
        progress = table.map { .rows($0, next: 0) } ?? .finished
    }
}

extension ConsoleMachine {
    mutating func extended(
        _ tag: FrontendTag, _ header: MessageHeader, _ input: borrowing RawSpan
    ) throws(WireError) -> ConsoleStep {
        let body = header.body(at: 0)
        do throws(ConsoleRefusal) {
            switch tag {
            case .parse: try prepare(try read(Parse.self, input, body))
            case .bind: try bind(try read(Bind.self, input, body))
            case .describe: try describe(try read(Describe.self, input, body))
            case .close: close(try read(Close.self, input, body))
            default:
                let execute = try read(Execute.self, input, body)
                if let request = try run(execute) { return .execute(byteCount: header.byteCount, request) }
            }
        } catch {
            refuse(error, in: tag)
        }
        return .handled(byteCount: header.byteCount)
    }

    private func read<Body: FrontendMessage>(
        _ type: Body.Type, _ input: borrowing RawSpan, _ body: Range<Int>
    ) throws(ConsoleRefusal) -> Body {
        do throws(WireError) {
            return try Body(in: input, body: body)
        } catch {
            throw ConsoleRefusal(error.sqlState, error.message)
        }
    }

    // MARK: Parse, Bind, Describe, Close

    private mutating func prepare(_ message: Parse) throws(ConsoleRefusal) {
        let texts = try ConsoleLexer.statements(in: message.query)
        guard texts.count <= 1 else {
            throw ConsoleRefusal(.syntaxError, "cannot insert multiple commands into a prepared statement")
        }
        let statement = try ConsoleParser.parse(texts.first ?? [])
        try checkTransaction(statement)
        if !message.name.isEmpty {
            guard statements[message.name] == nil else {
                throw ConsoleRefusal(
                    .duplicatePreparedStatement, "prepared statement \"\(message.name)\" already exists")
            }
            guard statements.count < limits.statements else {
                throw ConsoleRefusal(
                    .programLimitExceeded, "the console holds at most \(limits.statements) prepared statements",
                    hint: "Close some, or use the unnamed statement.")
            }
        }
        statements[message.name] = PreparedStatement(statement: statement, parameterTypes: message.parameterTypes)
        ParseComplete().encode(into: &output)
    }

    private mutating func bind(_ message: Bind) throws(ConsoleRefusal) {
        let prepared = try statement(message.statement)
        // No statement has parameters; those that Parse gave types are taken and mean nothing.
        guard message.values.count == prepared.parameterTypes.count else {
            throw ConsoleRefusal(
                .protocolViolation,
                "bind message supplies \(message.values.count) parameters, but prepared statement "
                    + "\"\(message.statement)\" requires \(prepared.parameterTypes.count)",
                hint: "The console's statements have no parameters.")
        }
        let columns = prepared.statement.columns?.count ?? 0
        guard message.resultFormats.count <= 1 || message.resultFormats.count == columns else {
            throw ConsoleRefusal(
                .protocolViolation,
                "bind message has \(message.resultFormats.count) result formats but query has \(columns) columns")
        }
        try checkTransaction(prepared.statement)
        if !message.portal.isEmpty {
            guard portals[message.portal] == nil else {
                throw ConsoleRefusal(.duplicateCursor, "cursor \"\(message.portal)\" already exists")
            }
            guard portals.count < limits.portals else {
                throw ConsoleRefusal(
                    .programLimitExceeded, "the console holds at most \(limits.portals) portals",
                    hint: "Close some, or use the unnamed portal.")
            }
        }
        portals[message.portal] = Portal(statement: prepared.statement, formats: message.resultFormats)
        BindComplete().encode(into: &output)
    }

    private mutating func describe(_ message: Describe) throws(ConsoleRefusal) {
        switch message.kind {
        case .statement:
            let prepared = try statement(message.name)
            ParameterDescription(prepared.parameterTypes).encode(into: &output)
            describe(prepared.statement, [])
        case .portal:
            let portal = try portal(message.name)
            describe(portal.statement, portal.formats)
        }
    }

    private mutating func describe(_ statement: ConsoleStatement, _ formats: [FormatCode]) {
        if let columns = statement.columns {
            RowDescription(columns, formats).encode(into: &output)
        } else {
            NoData().encode(into: &output)
        }
    }

    private mutating func close(_ message: Close) {
        switch message.kind {
        case .statement: statements[message.name] = nil
        case .portal: portals[message.name] = nil
        }
        CloseComplete().encode(into: &output)
    }

    private func statement(_ name: String) throws(ConsoleRefusal) -> PreparedStatement {
        if let statement = statements[name] { return statement }
        throw ConsoleRefusal(
            .invalidSQLStatementName,
            name.isEmpty ? "unnamed prepared statement does not exist" : "prepared statement \"\(name)\" does not exist"
        )
    }

    private func portal(_ name: String) throws(ConsoleRefusal) -> Portal {
        if let portal = portals[name] { return portal }
        throw ConsoleRefusal(.invalidCursorName, "portal \"\(name)\" does not exist")
    }

    // MARK: Execute

    /// What the shell must do before rows can be sent, if anything.
    private mutating func run(_ message: Execute) throws(ConsoleRefusal) -> ConsoleRequest? {
        let portal = try portal(message.portal)
        if portal.progress == .ready {
            if let request = try request(of: portal.statement) {
                pending = .portal(name: message.portal, maxRows: message.maxRows)
                return request
            }
            if let table = portal.statement.constantTable {
                portals[message.portal]?.fill(table)
            } else {
                portals[message.portal]?.progress = .finished
                finish(portal.statement)
                return nil
            }
        }
        guard portal.progress != .finished else {
            throw ConsoleRefusal(
                .objectNotInPrerequisite, "portal \"\(message.portal)\" cannot be run anymore")
        }
        try run(message.portal, message.maxRows)
        return nil
    }

    /// Sends the next rows, at most so many; none or fewer than none is no limit (`PortalRun`). As many as asked for leave
    /// the portal suspended even when they were the last.
    mutating func run(_ name: String, _ maxRows: Int32) throws(ConsoleRefusal) {
        let portal = try portal(name)
        guard case .rows(let table, let next) = portal.progress else { return finish(portal.statement) }
        let end = maxRows > 0 ? min(next + Int(maxRows), table.rows.count) : table.rows.count
        for row in table.rows[next..<end] { append(row, portal.formats) }
        portals[name]?.progress = .rows(table, next: end)
        if maxRows > 0, end - next == Int(maxRows) {
            PortalSuspended().encode(into: &output)
        } else {
            finish(portal.statement)
        }
    }
}
