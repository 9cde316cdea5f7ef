import Testing
import WaldenTestKit

@testable import WaldenConformance

/// The language of the scripts: what a line means, and that what is misspelt is told.
@Suite struct ScriptReaderTests {
    private func steps(_ lines: String) throws -> [Step] {
        try ScriptReader.scripts(in: "=== name\n" + lines, file: "test").first?.steps ?? []
    }

    private func sends(_ line: String) throws -> [[UInt8]] {
        guard case .converse(_, let sends, _, _)? = try steps(line).first?.action else { return [] }
        return sends.compactMap { outgoing in
            if case .bytes(let bytes, _) = outgoing { bytes } else { nil }
        }
    }

    @Test func headersBelongToTheirScript() throws {
        let scripts = try ScriptReader.scripts(
            in: """
                # a comment
                === first
                cases: 1 70
                setup: "SELECT 1"
                start: user reader
                mask: numbers tables
                servers: 2
                warmed: yes
                A> Sync

                === second
                alone: "because"
                A> Flush
                """, file: "test")
        #expect(scripts.map(\.name) == ["first", "second"])
        #expect(scripts.map(\.place) == ["test:2", "test:11"])
        let first = try #require(scripts.first)
        #expect(first.cases == [1, 70] && first.setup == ["SELECT 1"] && first.servers == 2 && first.isWarmed)
        #expect(first.masks == [.numbers, .tables])
        #expect(first.parameters.map { "\($0)=\($1)" } == ["database=postgres", "user=reader"])
        #expect(scripts[1].alone == "because" && scripts[1].cases.isEmpty)
    }

    static let messages: [(String, [UInt8])] = [
        (#"A> Query "SELECT 1""#, FrontendMessage.query("SELECT 1")),
        (#"A> Query "a\n\"\\\x41""#, FrontendMessage.query("a\n\"\\A")),
        (#"A> Query "x"*3"#, FrontendMessage.query("xxx")),
        (#"A> Parse "SELECT $1" name=s types=23,25"#, FrontendMessage.parse("SELECT $1", name: "s", types: [23, 25])),
        (
            #"A> Bind "1" null x"00 ff" statement=s portal=p formats=0,0,1 results=1"#,
            FrontendMessage.bind(
                [[0x31], nil, [0, 0xFF]], statement: "s", portal: "p", formats: [0, 0, 1], resultFormats: [1])
        ),
        ("A> Bind", FrontendMessage.bind()),
        (#"A> Describe statement="""#, FrontendMessage.describe(statement: "")),
        ("A> Describe portal=p", FrontendMessage.describe(portal: "p")),
        ("A> Execute portal=p max=-2", FrontendMessage.execute(portal: "p", maxRows: -2)),
        ("A> Close statement=s", FrontendMessage.close(statement: "s")),
        (#"A> Close portal="""#, FrontendMessage.close(portal: "")),
        ("A> Sync", FrontendMessage.sync),
        (#"A> CopyData "1\t2\n""#, FrontendMessage.copyData(Array("1\t2\n".utf8))),
        (#"A> CopyFail "no""#, FrontendMessage.copyFail("no")),
        (#"A> FunctionCall 177 "2" null formats=1"#, FrontendMessage.functionCall(177, [[0x32], nil], formats: [1])),
        (#"A> Message "~" x"01""#, FrontendMessage.message("~", [1])),
        ("A> Header Q length=3", FrontendMessage.header(0x51, length: 3)),
        (#"A> Bytes x"0001""#, [0, 1]),
        ("A> SSLRequest", FrontendMessage.sslRequest),
        (
            #"A> Startup user=u options="-c a=b" version=3.2"#,
            FrontendMessage.startup([("user", "u"), ("options", "-c a=b")], version: FrontendMessage.protocol32)
        ),
    ]

    @Test(arguments: messages)
    func aMessageIsReadAsItsBytes(line: String, bytes: [UInt8]) throws {
        #expect(try sends(line) == [bytes])
    }

    @Test func groupsAreRepeatedWithTheirNumber() throws {
        #expect(
            try sends(#"A> Flush; 2 * (Query "{n}"; Sync); Flush"#) == [
                FrontendMessage.flush, FrontendMessage.query("1"), FrontendMessage.sync, FrontendMessage.query("2"),
                FrontendMessage.sync, FrontendMessage.flush,
            ])
    }

    @Test func indentedLinesContinue() throws {
        let steps = try steps("A> Sync;\n  Flush\n  -> Z\nB|> Sync")
        #expect(steps.map(\.line) == [2, 5])
    }

    @Test func expectations() throws {
        guard
            case .converse("A", let sends, true, let expectations)? =
                try steps(#"A|> Sync -> 1 E:26000 2*Z:I C:"SELECT 1" byte:N end"#).first?.action
        else {
            Issue.record("it is no conversation")
            return
        }
        #expect(sends.count == 1)
        #expect(
            "\(expectations)" == """
                [WaldenConformance.Expectation.message("1", containing: nil), \
                WaldenConformance.Expectation.message("E", containing: Optional("26000")), \
                WaldenConformance.Expectation.message("Z", containing: Optional("I")), \
                WaldenConformance.Expectation.message("Z", containing: Optional("I")), \
                WaldenConformance.Expectation.message("C", containing: Optional("SELECT 1")), \
                WaldenConformance.Expectation.byte("N"), WaldenConformance.Expectation.end]
                """)
    }

    @Test(arguments: [
        "A> Nonsense", #"A> Query"#, #"A> Query "a" "b""#, #"A> Query "a"#, #"A> Query "\q""#, "A> Parse null",
        "A> Describe", #"A> Bind x"0""#, "A> Execute max=many", "A> 2 * (Sync", "A> Sync -> ZZ", "A> Sync -> 0*Z",
        "A> Sync -> Z:", "nothing", "cases: one", "mask: all", "servers: 9", "colour: red", "A> Sync portal=x",
    ])
    func whatCannotBeReadIsToldWithItsPlace(line: String) {
        let error = #expect(throws: ScriptError.self) {
            try ScriptReader.scripts(in: "=== name\n\(line)\nA> Sync", file: "test")
        }
        #expect(error?.place == "test:2")
    }

    @Test(arguments: ["A> Sync", "=== one\n=== two\nA> Sync", "=== one\nA> Sync\n=== one\nA> Sync"])
    func whatIsNoListOfScripts(text: String) {
        #expect(throws: ScriptError.self) { try ScriptReader.scripts(in: text, file: "test") }
    }
}
