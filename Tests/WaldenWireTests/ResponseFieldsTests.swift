import Testing
import WaldenWire

@Suite("Fields of errors and notices")
struct ResponseFieldsTests {
    private func decoded(_ body: String) -> ErrorResponse? {
        decode(ErrorResponse.self, ascii(body)).value
    }

    @Test("the fields of an error as PostgreSQL sends it")
    func typical() throws {
        let error = try #require(
            decoded(
                "SFEHLER\0VERROR\0C42P01\0Mrelation \"x\" does not exist\0P15\0Fparse_relation.c\0L1449\0"
                    + "RparserOpenTable\0\0"
            )
        )
        #expect(error.severity == .error)
        #expect(error.sqlState?.code == "42P01")
        #expect(error.message == "relation \"x\" does not exist")
        #expect(error.fields[.position] == "15")
        #expect(error.fields[.file] == "parse_relation.c")
        #expect(error.fields[.line] == "1449")
        #expect(error.fields[.routine] == "parserOpenTable")
        #expect(error.detail == nil)
        #expect(error.hint == nil)
        #expect(error.fields[.localizedSeverity] == "FEHLER")
    }

    @Test(
        "an error without SQLSTATE, or without anything, is read (CVE-2026-6666)", arguments: ["SERROR\0Mm\0\0", "\0"])
    func missing(body: String) throws {
        let error = try #require(decoded(body))
        #expect(error.sqlState == nil)
        #expect(error.detail == nil)
    }

    @Test(
        "a SQLSTATE that is none is kept as text but not as a state",
        arguments: ["", "42P0", "42p01", "42P011", "42 01"])
    func notSQLState(text: String) throws {
        let error = try #require(decoded("C\(text)\0\0"))
        #expect(error.sqlState == nil)
        #expect(error.fields[.sqlState] == text)
    }

    @Test("fields of unknown type are kept in their place")
    func unknown() throws {
        let error = try #require(decoded("Zfuture\0Mm\0\0"))
        #expect(error.fields.fields.map(\.code.rawValue) == ascii("ZM"))
        #expect(error.severity == nil)
        #expect(body(of: error.encoded()) == ascii("Zfuture\0Mm\0\0"))
    }

    @Test("of a field sent twice the first counts")
    func twice() throws {
        #expect(try #require(decoded("Mone\0Mtwo\0\0")).message == "one")
    }

    @Test("an old server's severity is read from the only field it sends")
    func oldServer() throws {
        #expect(try #require(decoded("SFATAL\0\0")).severity == .fatal)
        #expect(try #require(decoded("SFEHLER\0\0")).severity == nil)
    }

    @Test("what is not UTF-8 is replaced: a server answers in its database's encoding before it knows the client's")
    func latin1() throws {
        let body: [UInt8] = ascii("M") + [0x66, 0xFC, 0x72] + [0, 0]
        #expect(decode(ErrorResponse.self, body).value?.message == "f\u{FFFD}r")
    }

    @Test("the builder writes both severities, code and message, then what else is given")
    func builder() {
        let notice = NoticeResponse(severity: .warning, sqlState: .internalError, message: "m", detail: "d", hint: "h")
        #expect(body(of: notice.encoded()) == ascii("SWARNING\0VWARNING\0CXX000\0Mm\0Dd\0Hh\0\0"))
        #expect(NoticeResponse(sqlState: .successfulCompletion, message: "").severity == .notice)
        #expect(ErrorResponse(sqlState: .internalError, message: "").severity == .error)
    }
}

@Suite("SQLSTATE")
struct SQLStateTests {
    @Test("five digits or upper-case letters", arguments: ["00000", "08P01", "ZZZZZ"])
    func valid(code: String) {
        #expect(SQLState(code)?.code == code)
        #expect(SQLState(code).map { "\($0)" } == code)
    }

    @Test("anything else is none", arguments: ["", "0800", "080060", "08p01", "08-01", "0é01", "08P0\0"])
    func invalid(code: String) {
        #expect(SQLState(code) == nil)
    }

    @Test(
        "the constants are those of errcodes.txt",
        arguments: [
            (.sqlClientUnableToEstablishConnection, "08001"), (.serverRejectedConnection, "08004"),
            (.connectionFailure, "08006"), (.transactionResolutionUnknown, "08007"), (.protocolViolation, "08P01"),
            (.featureNotSupported, "0A000"), (.characterNotInRepertoire, "22021"), (.invalidParameterValue, "22023"),
            (.activeSQLTransaction, "25001"), (.readOnlySQLTransaction, "25006"), (.inFailedSQLTransaction, "25P02"),
            (.idleInTransactionSessionTimeout, "25P03"), (.invalidSQLStatementName, "26000"),
            (.invalidAuthorizationSpecification, "28000"), (.invalidPassword, "28P01"), (.invalidCursorName, "34000"),
            (.invalidCatalogName, "3D000"), (.syntaxError, "42601"), (.duplicatePreparedStatement, "42P05"),
            (.outOfMemory, "53200"), (.tooManyConnections, "53300"), (.configurationLimitExceeded, "53400"),
            (.programLimitExceeded, "54000"), (.queryCanceled, "57014"),
            (.adminShutdown, "57P01"), (.crashShutdown, "57P02"), (.cannotConnectNow, "57P03"),
            (.idleSessionTimeout, "57P05"), (.internalError, "XX000"), (.successfulCompletion, "00000"),
        ] as [(SQLState, String)]
    )
    func constants(state: SQLState, code: String) {
        #expect(state.code == code)
        #expect(SQLState(code) == state)
    }
}
