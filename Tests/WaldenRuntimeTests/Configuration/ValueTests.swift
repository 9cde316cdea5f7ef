import Testing
import WaldenCache

@testable import WaldenRuntime

/// Every kind of value: what is read, what is refused and with which words.
@Suite struct ValueTests {
    @Test(arguments: [
        ("4096", "4kB"), ("64kB", "64kB"), ("64 KB", "64kB"), ("1MiB", "1MB"), ("1GB", "1GB"), ("1025", "1025"),
        ("1024B", "1kB"),
    ])
    func bytes(text: String, expected: String) throws {
        let value = try Quantity.bytes(text, in: 0...(1 << 40))
        #expect(Quantity.describe(bytes: value) == expected)
    }

    @Test(arguments: [
        ("", "does not begin with a number"), ("-1", "does not begin with a number"), ("much", "begin with a number"),
        ("1.5GB", "no unit of bytes"), ("1 week", "no unit of bytes"), ("0", "not within 1kB … 1MB"),
        ("2MB", "2MB is not within 1kB … 1MB"), ("9999999TB", "not within"), ("99999999999999999999", "number"),
    ])
    func badBytes(text: String, reason: String) {
        #expect(
            refusal { () throws(Quantity.Malformed) in _ = try Quantity.bytes(text, in: 1_024...(1 << 20)) }
                .contains(reason))
    }

    @Test(arguments: [
        ("250us", "250us"), ("1500us", "1500us"), ("1000us", "1ms"), ("250ms", "250ms"), ("1000ms", "1s"),
        ("90s", "90s"),
        ("5min", "5min"), ("60min", "1h"), ("1 h", "1h"), ("0s", "0s"),
    ])
    func durations(text: String, expected: String) throws {
        #expect(Quantity.describe(try Quantity.duration(text, in: .zero ... .seconds(86_400))) == expected)
    }

    @Test(arguments: [
        ("5", "has no unit of time"), ("5 weeks", "has no unit of time"), ("soon", "does not begin with a number"),
        ("-1s", "does not begin with a number"), ("1ms", "1ms is not within 10ms … 1h"), ("2h", "not within"),
        ("1125899906842624h", "not within"),
    ])
    func badDurations(text: String, reason: String) {
        #expect(
            refusal { () throws(Quantity.Malformed) in
                _ = try Quantity.duration(text, in: .milliseconds(10) ... .seconds(3_600))
            }.contains(reason))
    }

    @Test(arguments: [
        ("127.0.0.1:6432", "127.0.0.1:6432"), ("[::1]:6432", "[::1]:6432"), ("::1:6432", "[::1]:6432"),
        ("db.example:0", "db.example:0"), ("unix:/run/walden/.s.PGSQL.6432", "/run/walden/.s.PGSQL.6432"),
    ])
    func addresses(text: String, expected: String) throws {
        #expect("\(try Quantity.address(text))" == expected)
    }

    @Test(arguments: [
        ("nonsense", "is not host:port"), ("h:65536", "is not host:port"), ("h:-1", "is not host:port"),
        ("h:", "is not host:port"), (":6432", "names no host"), ("unix:relative", "names no absolute path"),
        ("unix:/" + String(repeating: "x", count: 107), "longer than 107 bytes"),
    ])
    func badAddresses(text: String, reason: String) {
        #expect(refusal { () throws(Quantity.Malformed) in _ = try Quantity.address(text) }.contains(reason))
    }

    @Test(arguments: [
        ("true", true), ("ON", true), ("yes", true), ("1", true), ("false", false), ("Off", false), ("no", false),
        ("0", false),
    ])
    func booleans(text: String, expected: Bool) throws {
        #expect(try Quantity.boolean(text) == expected)
    }

    /// Setting, value, part of the reason; from a flag, whose words go as they are.
    @Test(arguments: [
        ("cache.enabled", "maybe", "neither true nor false"),
        ("proxy.workers", "-1", "-1 is not within 0 … 1024"),
        ("proxy.workers", "many", "is not a whole number"),
        ("proxy.max_clients", "0", "not within"),
        ("cache.max_bytes", "1kB", "1kB is not within 1MB … 16TB"),
        ("cache.max_staleness", "1ms", "not within"),
        ("stream.publication", "", "1 to 63 bytes"),
        ("stream.publication", String(repeating: "p", count: 64), "1 to 63 bytes"),
        ("stream.max_silence", "10", "has no unit of time"),
        ("log.level", "loud", "is none of trace, debug"),
        ("log.format", "xml", "is none of text, json"),
        ("admin", "unix:/run/admin", "must be host:port"),
        ("listen", "6432", "is not host:port"),
        ("primary", "host", "is no connection string"),
        ("primary", "host=a port=x", "the port is not a number"),
        ("primary", "", "is empty"),
        ("replicas", "hots=a", "is no connection string"),
    ])
    func refusedValue(key: String, text: String, reason: String) throws {
        let setting = try #require(Setting.named(key))
        let found = problems([:], [(setting.flag, text)])
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix("flag \(setting.flag): \(key): ") == true, "\(found)")
        #expect(found.first?.contains(reason) == true, "\(found)")
    }

    @Test func limitsThemselvesAreAllowed() throws {
        for (key, least, greatest) in [
            ("cache.max_bytes", "8MB", "16TB"), ("cache.max_staleness", "10ms", "1h"),
            ("cache.outage_staleness", "0s", "1h"), ("proxy.workers", "0", "1024"),
            ("proxy.drain_timeout", "0s", "24h"), ("stream.heartbeat_interval", "1ms", "10min"),
        ] {
            let flag = try #require(Setting.named(key)?.flag)
            for text in [least, greatest] {
                let sized = [(flag, text), ("--cache-max-result-bytes", "1MB")]
                #expect(shown(key, try load([:], sized)) == [text])
            }
        }
    }

    /// Where nobody replaces a primary, nothing is kept for that.
    @Test(arguments: [("off", "0s"), ("watch", "30s"), ("automatic", "30s")])
    func anOutageIsWhatAFailoverEnds(_ mode: String, _ kept: String) throws {
        let nodes = [
            ("--failover-mode", mode), ("--replica", "host=b"), ("--failover-directory", "/walden"),
            ("--failover-names", "a"), ("--failover-names", "b"), ("--failover-upstreams", "host=a"),
            ("--failover-upstreams", "host=b"), ("--auth-method", "trust"),
        ]
        let configuration = try load([:], nodes + [("--cache-outage-staleness", "30s")])
        #expect(Quantity.describe(configuration.cacheLimits.outageStaleness) == kept)
        #expect(try load([:], nodes).cacheLimits.outageStaleness == .zero)
    }

    private func refusal(_ body: () throws(Quantity.Malformed) -> Void) -> String {
        do throws(Quantity.Malformed) {
            try body()
            return "read"
        } catch {
            return error.reason
        }
    }
}
