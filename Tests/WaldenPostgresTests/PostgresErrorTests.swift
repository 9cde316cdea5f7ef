import Testing

@testable import WaldenPostgres

@Suite struct ErrorTextTests {
    @Test(
        arguments: [
            (
                "connection to server at \"db\" (10.0.0.1), port 5432 failed: "
                    + "FATAL:  28P01: password authentication failed "
                    + "for user \"app\"\nLOCATION:  auth_failed, auth.c:335\n",
                "connection to server at \"db\" (10.0.0.1), port 5432 failed: FATAL: password authentication failed "
                    + "for user \"app\"", "28P01"
            ),
            (
                "connection to server on socket \"/s\" failed: No such file or directory\n\tIs the server running?\n",
                "connection to server on socket \"/s\" failed: No such file or directory; Is the server running?", nil
            ),
            (
                "FATAL:  57P03: the database system is starting up\n", "FATAL: the database system is starting up",
                "57P03"
            ),
            ("ERROR:  XX000: boom\n", "ERROR: boom", "XX000"),
            ("a:  b: c", "a:  b: c", nil),
            ("FATAL:  ERROR: odd\n", "FATAL:  ERROR: odd", nil),
            ("", "no reason given", nil),
            ("\n\t \n", "no reason given", nil),
        ] as [(String, String, String?)])
    func parse(_ text: String, gives message: String, _ state: String?) {
        #expect(ErrorText.parse(text) == ErrorText.Parsed(message: message, sqlState: state))
    }

    @Test(arguments: [("", ""), ("  ", ""), (" a b ", "a b"), ("\ta\n", "a"), ("é ", "é")])
    func trimmed(_ text: String, is result: String) {
        #expect(ErrorText.trimmed(text[...]) == result)
    }
}

@Suite struct PostgresErrorTests {
    @Test func aKnownStateBringsItsCure() {
        let error = PostgresError(.server, "logical decoding requires wal_level >= logical", sqlState: "55000")
        #expect(error.cure == "set wal_level = logical and restart the server")
        #expect(
            error.description == "logical decoding requires wal_level >= logical (SQLSTATE 55000); "
                + "set wal_level = logical and restart the server")
    }

    @Test func theCallersCureWins() {
        #expect(PostgresError(.server, "x", sqlState: "55000", cure: "y").cure == "y")
    }

    @Test func anUnknownStateBringsNone() {
        let error = PostgresError(.server, "x", sqlState: "99999")
        #expect(error.cure == nil)
        #expect(error.description == "x (SQLSTATE 99999)")
        #expect(PostgresError(.timedOut, "x").description == "x")
    }

    @Test(arguments: ["28P01", "28000", "3D000", "42501", "53300", "53400", "55000", "57P03", "25006"])
    func everyCureSaysWhatToDo(for state: String) {
        #expect(Cures.forSQLState(state)?.isEmpty == false)
    }
}
