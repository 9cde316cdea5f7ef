import Testing
import WaldenWire

@testable import WaldenSession

/// As versions 15 and 16 of PostgreSQL answer (`check_application_name`, `truncate_identifier`).
@Suite struct ApplicationNameTests {
    private func name(_ given: String, version: String = "15.4 (Debian)", encoding: String = "UTF8") -> ApplicationName
    {
        let reported = ReportedParameters(["server_version": version, "server_encoding": encoding])
        return ApplicationName(Array(given.utf8), server: reported)
    }

    private func value(_ given: String, version: String = "15.4", encoding: String = "UTF8") -> String {
        String(decoding: name(given, version: version, encoding: encoding).value, as: UTF8.self)
    }

    @Test func plainNamesStayAsTheyAre() {
        for given in ["", "Shop", "Mixed CASE n~", String(repeating: "n", count: 63)] {
            #expect(value(given) == given)
            #expect(name(given).notice == nil)
        }
    }

    @Test func whatIsNotPrintableASCIIIsReplaced() {
        #expect(value("n\u{e4}me\n") == "n??me?")
        #expect(value("n\u{e4}me\n", version: "16.1") == "n\\xc3\\xa4me\\x0a")
    }

    @Test func longNamesEndWithAWholeCharacter() {
        let long = String(repeating: "n", count: 100)
        #expect(value(long) == String(repeating: "n", count: 63))
        let notice = name(long).notice
        #expect(notice?.fields.sqlState?.code == "42622")
        #expect(
            notice?.fields.message
                == "identifier \"\(long)\" will be truncated to \"\(String(repeating: "n", count: 63))\"")
        let umlauts = String(repeating: "\u{f6}", count: 40)
        #expect(value(umlauts) == String(repeating: "?", count: 62))
        #expect(value(umlauts, encoding: "LATIN1") == String(repeating: "?", count: 63))
        #expect(value(umlauts, encoding: "EUC_JP") == String(repeating: "?", count: 62))
        #expect(value(String(repeating: "\u{20ac}", count: 22)) == String(repeating: "?", count: 63))
        #expect(value("n" + String(repeating: "\u{1f600}", count: 16)) == "n" + String(repeating: "?", count: 60))
    }

    @Test func theNoticeComesFirstUnlessNoticesAreOff() {
        let long = String(repeating: "n", count: 64)
        for (level, isTold) in [(nil, true), ("log", true), ("WARNING", false), ("error", false)] as [(String?, Bool)] {
            var startup = StartupMessage(user: "alice", database: "shop")
            startup.parameters.append(.init(name: "application_name", value: long))
            if let level { startup.parameters.append(.init(name: "client_min_messages", value: level)) }
            var machine = SessionMachine(
                startup: startup, isCaching: false, pooling: Pooling(statements: StatementNames()))
            let text = Transcript.text(machine.welcome(SimulatedServer.greeting))
            #expect(text.hasPrefix("N ") == isTold, "\(text)")
            #expect(text.contains("S(application_name=\(String(repeating: "n", count: 63)))"))
        }
    }
}
