import Testing

@testable import WaldenAdmin

@Suite("/v1/status")
struct StatusJSONTests {
    @Test("a report with every figure, byte for byte")
    func everything() {
        let expected = [
            #"{"version":"0.1.0","uptime_seconds":12.5,"caching":false,"reason":"the stream is lost","#,
            #""reasons":[{"source":"catalog","reason":"not read yet"},"#,
            #"{"source":"stream","reason":"the stream is lost"}],"#,
            #""hits":100,"misses":20,"stale":4,"bypasses":{"a\\b\"c\nd":1,"write":9},"#,
            #""invalidations":{"ddl":12,"row":11},"entries":16,"bytes":4096,"#,
            #""cache":{"level":"bounded","max_staleness_seconds":1.0,"suspended_lookups":5,"outage_hits":6,"#,
            #""frozen_seconds":7.5,"fills_begun":19,"#,
            #""fills_kept":17,"fills_refused":{"too many":13},"fills_tainted":{"truncate":14},"#,
            #""fills_abandoned":{"error":15},"pending_fills":18,"max_bytes":65536,"#,
            #""recent_transactions":21,"recent_changes":22,"shapes":23,"declined_shapes":24,"#,
            #""forgotten_shapes":25,"saved_seconds":26.5,"quarantined_shapes":27,"audits":28,"#,
            #""audit_mismatches":29,"audits_given_up":30,"audits_postponed":31,"top_shapes":[]},"#,
            #""stream":{"state":"connecting","slot":"walden_1","position":"16/B374D848","watermark":"0/10","#,
            #""lag_bytes":31,"lag_seconds":0.25,"transactions":32,"row_changes":33,"messages":34,"bytes":35,"#,
            #""starts":36,"losses":37,"last_loss":"server closed the connection\n","timeline":2,"#,
            #""system_identifier":"7300000000000000001"},"#,
            #""control":{"probes":71,"heartbeats":72,"problem":"timed out"},"#,
            #""proxy":{"listening":["127.0.0.1:6432","/run/walden/.s.PGSQL.6432"],"#,
            #""certificates":[{"shown_to":"client","expires_in_seconds":-3.0}],"primary":"127.0.0.1:5432","#,
            #""primary_problem":"refused","clients":3,"accepted":41,"closed":{"lost":8,"terminated":30},"#,
            #""authentications":{"admitted":6,"refused":4},"authenticating":10,"#,
            #""pool":{"links":{"idle":11,"serving":12},"waiting":13,"longest_wait_seconds":1.5,"opened":14,"closed":15,"#,
            #""login_failures":16},"#,
            #""cancel_requests":2,"cancel_requests_forwarded":1,"cancels_withheld":3,"commits_in_doubt":{"committed":2,"unknown":1},"coalesced":7,"local_answers":9,"waits":{"served":5},"bytes_from_clients":1001,"bytes_from_servers":2002},"#,
            #""nodes":[{"name":"pg1","role":"primary","reachable":true,"problem":null,"obstacle":null,"#,
            #""received_lsn":"0/20","flushed_lsn":"0/18","replayed_lsn":"0/10","lag_bytes":16,"lag_seconds":0.5,"#,
            #""peak_lag_bytes":91,"peak_lag_seconds":9.5,"covered_seconds":0.75,"timeline":2,"#,
            #""receiver":"streaming","slot":"replica_1","reads":92,"outstanding":93},"#,
            #"{"name":"pg2","role":"unknown","reachable":false,"problem":"no route to host","#,
            #""obstacle":"unreachable","received_lsn":null,"flushed_lsn":null,"replayed_lsn":null,"#,
            #""lag_bytes":null,"lag_seconds":null,"peak_lag_bytes":null,"peak_lag_seconds":null,"#,
            #""covered_seconds":null,"timeline":0,"receiver":null,"slot":null,"reads":0,"outstanding":0}],"#,
            #""slots":[{"name":"replica_1","logical":false,"active":true,"retained_bytes":81,"state":"reserved"},"#,
            #"{"name":"w","logical":true,"active":false,"retained_bytes":null,"state":"lost"}],"#,
            #""routing":{"on":true,"replica":{"balanced":82,"sticky":83},"#,
            #""primary":{"function":85,"not_covered":84},"refused":{"unusable":86},"waited":87,"#,
            #""settled":1087,"unsettled":1088,"waiting":88},"#,
            #""failover":{"outlook":"if the primary died now: no failover by itself: a \"short\" while ago","#,
            #""state":"steady","state_seconds":95.5,"term":96,"primary":"pg1","timeline":97,"finding":"healthy","#,
            #""finding_seconds":98.5,"candidate":"pg2","bytes_lost_if_now":99,"proven":false,"missing_bytes":99,"#,
            #""unapplied_bytes":101,"estimated_seconds":1.25,"estimate_measured":true,"blocked_by":"cooldown","#,
            #""obstacle":"a \"short\" while ago","problems":["sever pg2: no"],"request":"pause","incident":102,"#,
            #""failovers":103,"switchovers":104,"aborted":105,"last_outage_seconds":106.5,"dropped_events":107,"#,
            #""unwritten_lines":108,"hook_events":{"told":109},"silent_seconds":0.125},"#,
            #""findings":["table \"t\" is not published"]}"#, "\n",
        ]
        #expect(StatusReport.sample.json == expected.joined())
    }

    @Test("a report of nothing has every member")
    func nothing() {
        let json = StatusReport().json
        #expect(
            json.hasPrefix(#"{"version":"","uptime_seconds":0.0,"caching":false,"reason":null,"reasons":[],"hits":0,"#))
        #expect(json.contains(#""nodes":[],"slots":[],"routing":{"on":false,"replica":{},"#))
        #expect(json.hasSuffix("\"findings\":[]}\n"))
    }
}

@Suite("JSON text")
struct JSONTests {
    @Test(
        "strings are escaped as RFC 8259 demands, and no further",
        arguments: [
            ("", #""""#),
            ("plain", #""plain""#),
            (#"say "no""#, #""say \"no\"""#),
            (#"C:\x"#, #""C:\\x""#),
            ("a\nb\rc\td", #""a\nb\rc\td""#),
            ("a\r\nb", #""a\r\nb""#),
            ("\u{0}\u{1}\u{B}\u{1F} ", #""\u0000\u0001\u000b\u001f ""#),
            ("\u{7F}/é/日本/🐘/\u{2028}", "\"\u{7F}/é/日本/🐘/\u{2028}\""),
            ("e\u{301}\"\u{301}", "\"e\u{301}\\\"\u{301}\""),
        ])
    func strings(text: String, expected: String) {
        #expect(Array(JSON.string(text).text.utf8) == Array(expected.utf8))
    }

    @Test(
        "numbers",
        arguments: [
            (JSON.whole(0), "0"), (.whole(.max), "18446744073709551615"), (.count(-1), "0"),
            (.count(.max), "9223372036854775807"),
            (.number(0), "0.0"), (.number(-1.5), "-1.5"), (.number(0.00001), "1e-05"), (.number(1e300), "1e+300"),
            (.number(.nan), "null"), (.number(.infinity), "null"), (.number(-.infinity), "null"),
        ])
    func numbers(json: JSON, expected: String) {
        #expect(json.text == expected)
    }

    @Test("members keep their order, counts are ordered by name")
    func nesting() {
        let json: JSON = [
            "z": .array([.null, .bool(true), .bool(false), .array([]), [:]]),
            "a": .counts(["b": 2, "a": 1]),
            "a\"": .string(orNull: nil),
        ]
        #expect(json.text == #"{"z":[null,true,false,[],{}],"a":{"a":1,"b":2},"a\"":null}"#)
    }
}
