import Testing
import WaldenCore
import WaldenWire

@testable import WaldenSession

/// Which texts are taken for BEGIN, COMMIT and ROLLBACK. Risk: one that means something else.
@Suite struct TransactionCommandTests {
    private func command(_ text: String) -> TransactionCommand? {
        let bytes = Array(text.utf8)
        return TransactionCommand(0..<bytes.count, in: bytes.span.bytes)
    }

    /// A deferred BEGIN begins what the client asked for, and SHOW tells it so.
    @Test func everyLevelIsSpelledOutAsItWasGiven() {
        for level in BeginForm.Isolation.allCases {
            let text = "BEGIN ISOLATION LEVEL \(level.rawValue)"
            #expect(isolation(text) == level)
            guard case .begin(let form)? = command(text) else {
                Issue.record("\(text) is not understood")
                continue
            }
            #expect(form.spelledOut(level) == text)
        }
    }

    private func isolation(_ text: String) -> BeginForm.Isolation? {
        if case .begin(let form)? = command(text) { form.isolation } else { nil }
    }

    @Test(arguments: [
        "BEGIN", "begin;", " Begin Work ;; ", "BEGIN TRANSACTION", "/* app='x' */ BEGIN -- so", "START TRANSACTION",
        "BEGIN READ ONLY", "BEGIN READ WRITE, NOT DEFERRABLE", "start transaction read only deferrable",
        "BEGIN /* a /* nested */ one */;",
    ])
    func beginOfTheDefaultLevel(text: String) throws {
        guard case .begin(let form)? = command(text) else {
            Issue.record("not understood: \(text)")
            return
        }
        #expect(form.isolation == nil)
    }

    @Test func levels() {
        #expect(isolation("BEGIN ISOLATION LEVEL READ COMMITTED") == .readCommitted)
        #expect(isolation("BEGIN ISOLATION LEVEL READ UNCOMMITTED, READ ONLY") == .readUncommitted)
        #expect(isolation("BEGIN READ ONLY, ISOLATION LEVEL REPEATABLE READ") == .repeatableRead)
        #expect(isolation("START TRANSACTION ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE") == .serializable)
    }

    @Test func tagsAreTheServers() {
        #expect(command("START TRANSACTION")?.completionTag == "START TRANSACTION")
        #expect(command("BEGIN WORK")?.completionTag == "BEGIN")
        #expect(command("END")?.completionTag == "COMMIT")
        #expect(command("abort")?.completionTag == "ROLLBACK")
    }

    @Test(arguments: ["COMMIT", "END WORK", "commit transaction and no chain ;", "Commit--"])
    func commits(text: String) {
        #expect(command(text) == .commit)
    }

    @Test(arguments: ["ROLLBACK", "ABORT", "rollback work", "ROLLBACK AND NO CHAIN;"])
    func rollbacks(text: String) {
        #expect(command(text) == .rollback)
    }

    @Test(arguments: [
        "", ";", "SELECT 1", "BEGINS", "BEGIN2", "BEGIN; SELECT 1", "BEGIN READ ONLY,", "BEGIN , READ ONLY",
        "BEGIN READ ONLY READ WRITE", "BEGIN ISOLATION LEVEL READ COMMITTED ISOLATION LEVEL SERIALIZABLE",
        "BEGIN ISOLATION LEVEL", "BEGIN ISOLATION LEVEL CHAOS", "BEGIN NOT READ ONLY", "START", "START WORK",
        "COMMIT AND CHAIN", "COMMIT PREPARED 'x'", "ROLLBACK TO a", "ROLLBACK TO SAVEPOINT a", "ROLLBACK; BEGIN",
        "COMMIT \"x\"", "BEGIN /* open", "/* open BEGIN", "PREPARE TRANSACTION 'x'", "BEGIN\u{b}", "BEGIN\u{e9}",
        "COMMIT WORK WORK",
    ])
    func everythingElseIsTheServers(text: String) {
        #expect(command(text) == nil)
    }

    @Test func longTextsAreNotLookedAt() {
        #expect(command("BEGIN" + String(repeating: " ", count: 600)) == nil)
    }
}
