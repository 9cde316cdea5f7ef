import Testing
import WaldenCore
import WaldenWire

@testable import WaldenSession

/// Settings follow the session from server to server, and none of another session's is ever seen.
@Suite struct PooledSettingsTests {
    private let servers = [SimulatedServer(), SimulatedServer()]

    private func session(_ parameters: [(String, String)] = []) -> PooledScript {
        PooledScript(servers: servers, parameters: parameters)
    }

    @Test func anAssignmentFollowsTheSession() {
        let script = session()
        script.client(Query("SET work_mem = 64MB"))
        script.next = 1
        script.client(Query("SHOW work_mem"), Query("SHOW work_mem"))
        #expect(script.seen() == "C ZI D(64MB) C ZI D(64MB) C ZI")
        let replay = "Q SELECT pg_catalog.set_config('work_mem', '64MB', false);"
        #expect(script.servers[1].log == [replay, "Q SHOW work_mem", "Q SHOW work_mem"])
    }

    @Test func anotherSessionDoesNotSeeIt() {
        session().client(Query("SET work_mem = 64MB"))
        let other = session()
        other.client(Query("SHOW work_mem"))
        #expect(other.seen() == "D(4096) C ZI")
        #expect(servers[0].log.suffix(2) == ["Q RESET \"work_mem\";", "Q SHOW work_mem"])
    }

    /// Case 47.
    @Test func theClientIsToldWhatItsSessionHas() {
        let script = session()
        script.client(Query("SET TimeZone = Asia/Tokyo"))
        #expect(script.seen() == "C S(TimeZone=Asia/Tokyo) ZI")
        let other = session()
        other.client(Query("SHOW TimeZone"))
        #expect(other.seen() == "D(UTC) C ZI")
        script.client(Query("SHOW TimeZone"))
        #expect(script.seen() == "D(Asia/Tokyo) C ZI")
        script.client(Query("RESET TimeZone"))
        #expect(script.seen() == "C S(TimeZone=UTC) ZI")
        #expect(!servers[0].log.contains { $0.hasPrefix("P walden census") })
    }

    /// A server whose configuration file says otherwise.
    @Test func theClientIsToldOfAServersOwnValue() {
        let script = session()
        script.client(Query("SELECT 1"))
        servers[1].session.parameterReported(ParameterStatus(name: "TimeZone", value: "Europe/Paris"))
        script.next = 1
        script.client(Query("SELECT 1"))
        #expect(script.seen() == "D(SELECT 1) C ZI S(TimeZone=Europe/Paris) D(SELECT 1) C ZI")
    }

    /// Case 11.
    @Test func applicationNamesCostNothingWhereTheyAreEqual() {
        let script = session([("application_name", "Shop")])
        script.client(Query("SELECT 1"), Query("SELECT 2"))
        script.client(Query("SELECT 3"))
        let replay = "Q SELECT pg_catalog.set_config('application_name', 'Shop', false);"
        #expect(servers[0].log == [replay, "Q SELECT 1", "Q SELECT 2", "Q SELECT 3"])
        #expect(!script.seen().contains("S("))
        script.client(Query("RESET application_name"))
        script.client(Query("SHOW application_name"))
        #expect(script.seen() == "C ZI D(Shop) C ZI")
    }

    /// Case 11: a server's own default is no session's.
    @Test func aNameThatIsResetIsThatOfTheStartupPacket() {
        for text in ["RESET application_name", "RESET ALL", "DISCARD ALL"] {
            let script = session([("application_name", "Shop")])
            script.client(Query("SET application_name = Till"))
            script.client(Query(text))
            #expect(script.seen() == "C S(application_name=Till) ZI C S(application_name=Shop) ZI")
            script.client(Query("SHOW application_name"))
            #expect(script.seen() == "D(Shop) C ZI")
        }
        let script = session()
        script.client(Query("SET application_name = Till"), Query("RESET application_name"))
        #expect(script.seen() == "C S(application_name=Till) ZI C S(application_name=) ZI")
    }

    @Test func aNameThatIsResetInATransactionIsThatOfTheStartupPacket() {
        let script = session([("application_name", "Shop")])
        script.client(Query("SET application_name = Till"), Query("BEGIN"), Query("RESET application_name"))
        #expect(script.seen() == "C S(application_name=Till) ZI C ZT C S(application_name=Shop) ZT")
        script.client(Query("SHOW application_name"), Query("ROLLBACK"), Query("SHOW application_name"))
        #expect(script.seen() == "D(Shop) C ZT C S(application_name=Till) ZI D(Till) C ZI")
        script.client(Query("BEGIN"), Query("RESET application_name"), Query("SELECT 1"), Query("COMMIT"))
        #expect(script.seen() == "C ZT C S(application_name=Shop) ZT D(SELECT 1) C ZT C ZI")
        let other = session()
        other.client(Query("SHOW application_name"))
        #expect(other.seen() == "D() C ZI")
    }

    @Test func aNameThatCannotBeResetInATransactionEndsTheSession() {
        let script = session([("application_name", "Shop")])
        script.client(Query("BEGIN"), Query("RESET application_name"))
        _ = script.seen()
        script.answersAtOnce = false
        script.client(Query("SHOW application_name"))
        script.say(ErrorResponse(sqlState: .queryCanceled, message: "canceled").encoded())
        script.say(ReadyForQuery(.failed).encoded())
        let events = script.takeEvents()
        #expect(events.last == "give up: Walden could not set application_name back to that of the startup packet")
    }

    /// Case 66: PostgreSQL says what is wrong with it.
    @Test func aSyncWithABodyIsTheServersToRefuse() {
        let script = session()
        script.answersAtOnce = false
        script.clientBytes([UInt8(ascii: "S"), 0, 0, 0, 5, 0])
        #expect(script.current == 0)
        #expect(script.seen() == "")
        script.clientBytes([])
        let idle = session()
        idle.client(Sync())
        #expect(idle.seen() == "ZI")
        #expect(idle.current == nil)
    }

    /// Case 48.
    @Test func whatATransactionTakesBackIsNotCarriedOn() {
        let script = session()
        script.client(Query("BEGIN"), Query("SET LOCAL work_mem = 1"), Query("COMMIT"))
        script.client(Query("BEGIN"), Query("SET work_mem = 2"), Query("ROLLBACK"))
        script.next = 1
        script.client(Query("SHOW work_mem"))
        #expect(script.seen().hasSuffix("D(4096) C ZI"))
        script.client(Query("BEGIN"), Query("SET work_mem = 3"), Query("COMMIT"))
        script.next = 0
        script.client(Query("SHOW work_mem"))
        #expect(script.seen().hasSuffix("D(3) C ZI"))
    }

    @Test func customSettingsAreAskedForByName() {
        let script = session()
        script.client(Query("SET app.tenant = 7"))
        script.next = 1
        script.client(Query("SHOW app.tenant"))
        #expect(script.seen() == "C ZI D(7) C ZI")
        let other = session()
        other.next = 1
        other.client(Query("SHOW app.tenant"))
        #expect(other.seen() == "E(42704 unrecognized configuration parameter) ZI")
        #expect(other.takeEvents() == ["renew 1", "acquire 1", "release 1"])
    }

    /// No command takes a custom setting's name away again.
    @Test(arguments: [
        ["SET app.tenant = 7", "RESET app.tenant"], ["SET app.tenant = 7", "RESET ALL"],
        ["SET app.tenant = 7", "DISCARD ALL"], ["BEGIN", "SET LOCAL app.tenant = 7", "COMMIT"],
        ["BEGIN", "SET app.tenant = 7", "ROLLBACK"], ["RESET app.tenant"],
    ])
    func customSettingsStayAsEmptyStrings(_ texts: [String]) {
        let script = session()
        for text in texts { script.client(Query(text)) }
        script.next = 1
        _ = script.seen()
        script.client(Query("SHOW app.tenant"))
        #expect(script.seen() == "D() C ZI")
        let other = session()
        for server in [0, 1] {
            other.next = server
            other.client(Query("SHOW app.tenant"))
            #expect(other.seen() == "E(42704 unrecognized configuration parameter) ZI")
        }
        #expect(script.takeEvents().allSatisfy { !$0.hasPrefix("renew") })
        #expect(other.takeEvents().filter { $0.hasPrefix("renew") } == ["renew 0", "renew 1"])
    }

    @Test func whoAssignsACustomSettingFirstMayHaveItsLeftovers() {
        session().client(Query("SET app.tenant = 7"))
        for texts in [["SET app.tenant = 8"], ["BEGIN; SET LOCAL app.tenant = 8", "COMMIT"]] {
            let other = session()
            for text in texts { other.client(Query(text)) }
            #expect(!other.takeEvents().contains("renew 0"))
            // It has the name by then, also where the transaction has taken the value back.
            other.next = 1
            _ = other.seen()
            other.client(Query("SHOW app.tenant"))
            #expect(other.seen() == (texts.count == 1 ? "D(8) C ZI" : "D() C ZI"))
        }
        let refused = session()
        refused.client(Query("BEGIN; SELECT 1; SET app.tenant = 8"))
        #expect(refused.takeEvents().first == "renew 0")
    }

    /// A transaction that assigns what its server has anyway costs no census.
    @Test func repeatedLocalAssignmentsCostNoQuestion() {
        let script = session()
        for _ in 0..<3 { script.client(Query("BEGIN"), Query("SET LOCAL app.tenant = 7"), Query("COMMIT")) }
        #expect(servers[0].log.filter { $0.hasPrefix("P walden census") }.count == 1)
    }

    /// What was assigned unseen, nobody else gets to see.
    @Test func aServerWithUnseenSettingsServesNobodyAfterDiscardAll() {
        let script = session()
        script.client(Query("DO something"))
        script.client(Query("DISCARD ALL"))
        #expect(script.pins.isEmpty)
        #expect(servers[0].log.isEmpty)
        script.client(Query("SELECT 1"))
        #expect(script.seen() == "D(DO something) C ZI C ZI D(SELECT 1) C ZI")
    }

    @Test func resetAllAndDiscardAllTakeEverythingBack() {
        for text in ["RESET ALL", "DISCARD ALL"] {
            let script = session()
            script.client(Query("SET work_mem = 5"), Query("SET statement_timeout = 6"), Query(text))
            script.next = 1
            script.client(Query("SHOW work_mem"), Query("SHOW statement_timeout"))
            #expect(script.seen() == "C ZI C ZI C ZI D(4096) C ZI D() C ZI")
        }
    }

    @Test func aReplayThatIsRefusedEndsTheSession() {
        let script = session()
        script.client(Query("SET work_mem = refused"))
        script.next = 1
        script.client(Query("SHOW work_mem"))
        #expect(script.seen() == "C ZI")
        let events = script.takeEvents()
        #expect(events.contains { $0.hasPrefix("give up: Walden could not give another server") }, "\(events)")
        #expect(script.abandonment == .close)
    }

    /// Which custom settings a function has assigned, no catalog tells.
    @Test func whatCannotBeAskedForBindsTheSession() {
        let script = session()
        script.client(Query("DO something"))
        #expect(script.pins == [.untraceable])
        #expect(script.abandonment == .close)
        script.client(Query("DISCARD ALL"))
        #expect(script.pins.isEmpty)
        #expect(script.takeEvents() == ["acquire 0", "release 0"])
    }

    @Test func aRefusedCensusBindsTheSession() {
        servers[0].refusesCensus = true
        let script = session()
        script.client(Query("SET work_mem = 5"))
        #expect(script.seen() == "C ZI")
        #expect(script.pins == [.untraceable])
        #expect(servers[0].log.filter { $0 == "P walden census of assignments" }.count == 2)
    }

    @Test func replaysGoFromTheSessionsOwnRightsToThoseItTook() {
        let admin = AssignedSettings(["role": Array("admin".utf8), "work_mem": Array("1".utf8)])
        let guest = AssignedSettings(["role": Array("guest".utf8), "app.x": [], "lc_messages": Array("d'e\\".utf8)])
        let message = SettingsReplay(from: admin, to: guest).message
        let expected = """
            RESET "role";SELECT pg_catalog.set_config('app.x', '', false);\
            SELECT pg_catalog.set_config('lc_messages', E'd''e\\\\', false);RESET "work_mem";\
            SELECT pg_catalog.set_config('role', 'guest', false);
            """
        #expect(String(decoding: message.dropFirst(5).dropLast(), as: UTF8.self) == expected)
        #expect(SettingsReplay(from: guest, to: guest).isEmpty)
        #expect(SettingsReplay(from: AssignedSettings(["app.x": []]), to: .none).isEmpty)
    }

    /// Text is sent in the encoding that is in force.
    @Test func theEncodingIsChangedBeforeWhatDependsOnIt() {
        let latin = AssignedSettings(["client_encoding": Array("LATIN1".utf8), "search_path": [0xE4]])
        let first = SettingsReplay(from: .none, to: latin).message
        #expect(!first.contains(0xE4))
        let half = AssignedSettings(["client_encoding": Array("LATIN1".utf8)])
        #expect(SettingsReplay(from: half, to: latin).message.contains(0xE4))
    }
}
