import Testing
import WaldenCore
import WaldenDecoding

/// What cannot be followed is refused, by its own error, for good.
@Suite struct RefusalTests {
    @Test(arguments: [
        ("insert 1 1", "message 'I' out of place"),
        ("update 1 new 1", "message 'U' out of place"),
        ("delete 1 key 1", "message 'D' out of place"),
        ("truncate 1", "message 'T' out of place"),
        ("message walden x", "message 'M' out of place"),
        ("commit @1 2", "message 'C' out of place"),
        ("stop", "message 'E' out of place"),
        ("prepare 1 g @1 2", "message 'P' out of place"),
        ("start 5", "streamed transaction 5 has no beginning"),
        ("streamcommit 5 @1 2", "streamed transaction 5 has no beginning"),
        ("streamprepare 5 g @1 2", "streamed transaction 5 has no beginning"),
        ("commitprepared 5 g @1 2", "prepared transaction 5 has no beginning"),
        ("frame 77", "malformed message 'w': truncated"),
        ("frame 78 00", "unknown frame 'x'"),
    ])
    func outsideATransaction(line: String, error: String) throws {
        try expect(error, after: "", line: line)
    }

    @Test(arguments: [
        ("begin 6 @200", "message 'B' out of place"),
        ("start 6 first", "message 'S' out of place"),
        ("stop", "message 'E' out of place"),
        ("streamcommit 5 @1 2", "message 'c' out of place"),
        ("abort 5 6", "message 'A' out of place"),
        ("beginprepare 6 g @200 210", "message 'b' out of place"),
        ("prepare 5 g @100 110", "message 'P' out of place"),
        ("streamprepare 5 g @100 110", "message 'p' out of place"),
        ("commitprepared 5 g @100 110", "message 'K' out of place"),
        ("rollbackprepared 5 g @100 110", "message 'r' out of place"),
        ("insert 2 1", "row of undescribed relation 2"),
        ("insert 1 1 2", "row of relation 1: 2 values, not 1"),
        ("commit @101 120", "transaction announced to end at 0/64, not 0/65"),
        ("commit @100 100", "transaction at 0/64 after position 0/64"),
        ("commit @100 99", "transaction at 0/63 after position 0/64"),
    ])
    func withinATransaction(line: String, error: String) throws {
        try expect(error, after: "begin 5 @100\nrelation 1 t id*\ninsert 1 1", line: line)
    }

    @Test(arguments: [
        ("begin 6 @200", "message 'B' out of place"),
        ("commit @1 2", "message 'C' out of place"),
        ("start 6 first", "message 'S' out of place"),
        ("streamcommit 5 @1 2", "message 'c' out of place"),
        ("abort 5 5", "message 'A' out of place"),
        ("beginprepare 6 g @200 210", "message 'b' out of place"),
        ("commitprepared 5 g @100 110", "message 'K' out of place"),
        ("5: insert 1 1", "row of undescribed relation 1"),
    ])
    func withinAChunk(line: String, error: String) throws {
        // What was described outside does not count within.
        try expect(error, after: "relation 1 t id*\nstart 5 first", line: line)
    }

    @Test(arguments: [
        ("begin 6 @119", "transaction at 0/77 after position 0/78"),
        ("start 5 first\nstop\nstreamcommit 5 @110 120", "transaction at 0/78 after position 0/78"),
        ("start 5 first\nstop\nstart 5 first", "transaction 5 began twice"),
        (
            "beginprepare 6 g @130 140\nprepare 6 h @130 140",
            "transaction announced to end at 0/82, not 0/82"
        ),
        (
            "beginprepare 6 g @130 140\nprepare 6 g @131 140",
            "transaction announced to end at 0/82, not 0/83"
        ),
        (
            "beginprepare 6 g @130 140\nprepare 6 g @130 140\nbeginprepare 6 g @150 160\nprepare 6 g @150 160",
            "transaction 6 began twice"
        ),
    ])
    func afterATransaction(lines: String, error: String) throws {
        let all = lines.split(separator: "\n").map(String.init)
        try expect(
            error, after: (["begin 5 @100", "commit @100 120"] + all.dropLast()).joined(separator: "\n"),
            line: all[all.count - 1])
    }

    /// After an error nothing is taken any more, not even a keepalive: the position must not move.
    private func expect(_ error: String, after: String, line: String) throws {
        var stream = StreamScript()
        let before = try stream.run(after)
        #expect(!before.contains("error"))
        let expected = "> error " + error
        let after = "\(line)\n\(expected)\nkeepalive 9000\n\(expected)\nbegin 9 @9100\n\(expected)"
        #expect(try stream.run(after) == after)
    }

    @Test func messagesOfHigherVersionsAreUnknown() throws {
        let lines: [(String, version: Int, tag: Character)] = [
            ("start 5 first", 2, "S"), ("stop", 2, "E"), ("streamcommit 5 @1 2", 2, "c"), ("abort 5 6", 2, "A"),
            ("beginprepare 5 g @1 2", 3, "b"), ("prepare 5 g @1 2", 3, "P"), ("streamprepare 5 g @1 2", 3, "p"),
            ("commitprepared 5 g @1 2", 3, "K"), ("rollbackprepared 5 g @1 2", 3, "r"),
        ]
        for (line, first, tag) in lines {
            for version in 1...4 {
                var stream = StreamScript(version: version)
                let unknown = try stream.run(line).contains("unknown message '\(tag)'")
                #expect(unknown == (version < first), "\(line) in version \(version)")
            }
        }
    }

    @Test func theLongAbortIsOfVersionFour() throws {
        for version in 2...4 {
            var stream = StreamScript(version: version)
            let refused = try stream.run("abort 5 6 @100").contains("error")
            #expect(refused == (version < 4))
        }
    }

    @Test func versionsOutOfRangeCountAsTheNearest() throws {
        for (version, knowsStreaming) in [(Int.min, false), (0, false), (5, true), (Int.max, true)] {
            var stream = StreamScript(version: version)
            #expect(try stream.run("start 5 first").contains("error") != knowsStreaming)
        }
    }
}
