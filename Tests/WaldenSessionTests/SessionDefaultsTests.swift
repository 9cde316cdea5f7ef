import Testing
import WaldenWire

@testable import WaldenDependency
@testable import WaldenSession

/// Scenario: two sessions of one user began before and after `ALTER ROLE … SET`. Risk: one is given the other's results.
@Suite struct SessionDefaultsTests {
    /// The key of `SELECT a` in a session that has these defaults.
    private func key(
        login: String = "10", _ defaults: [String: String] = [:], after statements: [String] = []
    ) -> [UInt8] {
        let script = Script()
        script.defaults = Reply.defaults(login: login, defaults)
        script.becomeReady()
        for statement in statements {
            script.client(Query(statement))
            script.serverBytes(Reply.command("SET"))
        }
        script.client(Query("SELECT a"))
        return script.machine.key
    }

    @Test func defaultsAreInTheKey() {
        #expect(key() == key())
        for name in SessionDefaults.names { #expect(key() != key([name: "y"]), "\(name)") }
        #expect(key() != key(login: "11"), "the name was given to another role")
    }

    @Test func whatIsAssignedHidesItsDefault() {
        let assignment = ["SET search_path = other"]
        #expect(key(["search_path": "a"], after: assignment) == key(["search_path": "b"], after: assignment))
        #expect(key(["xmloption": "a"], after: assignment) != key(["xmloption": "b"], after: assignment))
    }

    @Test func theSessionIsAskedBeforeItsFirstLookup() {
        let script = Script()
        script.defaults = nil
        script.becomeReady()
        script.client(Query("INSERT a"))
        script.serverBytes(Reply.command("INSERT 0 1"))
        #expect(script.takeLog() == ["bypass not_a_select", "> Q", "< C Z"])
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["> inject P B E C S"])
        script.serverBytes(Reply.defaults())
        #expect(
            script.takeLog() == [
                "swallow 1", "swallow 2", "swallow D", "swallow C", "swallow 3", "swallow Z", "fill 1", "> Q",
            ])
        script.serverBytes(Reply.select())
        _ = script.takeLog()
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["hit Z"])
    }

    @Test(arguments: ["RESET search_path", "RESET ALL", "DISCARD ALL"])
    func whatIsTakenBackIsAskedForAgain(_ statement: String) {
        let script = Script()
        script.becomeReady()
        script.keep()
        script.client(Query(statement))
        script.serverBytes(Reply.command("RESET"))
        _ = script.takeLog()
        script.defaults = nil
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["> inject P B E C S"])
        script.serverBytes(Reply.defaults())
        #expect(script.takeLog().last == "hit Z")
    }

    @Test func theDefaultPathAndRoleDecideOnMeaning() {
        let script = Script()
        script.defaults = Reply.defaults(["search_path": "other", "role": "guest"])
        script.becomeReady()
        script.client(Query("SELECT a"))
        #expect(script.machine.settings.context.searchPath == "other")
        #expect(script.machine.settings.context.user == "guest")
    }

    @Test func withoutAnAnswerTheCacheIsBypassed() {
        let script = Script()
        script.defaults =
            ErrorResponse(sqlState: .queryCanceled, message: "no").encoded() + ReadyForQuery(.idle).encoded()
        script.becomeReady()
        for _ in 0..<2 {
            script.client(Query("SELECT a"))
            #expect(script.takeLog() == ["bypass session_defaults", "> Q"])
            script.serverBytes(Reply.select())
            _ = script.takeLog()
        }
    }

    @Test func aTransactionIsNotDisturbed() {
        let script = Script(policy: SessionPolicy(defersBegin: false))
        script.becomeReady()
        script.client(Query("BEGIN ISOLATION LEVEL READ COMMITTED"))
        script.serverBytes(Reply.command("BEGIN", .inTransaction))
        _ = script.takeLog()
        script.client(Query("SELECT a"))
        #expect(script.takeLog() == ["bypass session_defaults", "> Q"])
    }
}
