import Testing
import WaldenPool
import WaldenWire

@Suite struct LinkUpkeepTests {
    private let idle = ReadyForQuery(.idle).encoded()

    /// Feeds all of `bytes` and returns the steps, up to one that ends it.
    private func steps(_ upkeep: inout LinkUpkeep, _ bytes: [UInt8]) -> [LinkUpkeep.Step] {
        var rest = bytes[...]
        var steps: [LinkUpkeep.Step] = []
        while true {
            let step = upkeep.next(Array(rest).span.bytes)
            steps.append(step)
            switch step {
            case .wait, .broken: return steps
            case .drop(let count), .parameter(let count, _), .finished(let count): rest = rest.dropFirst(count)
            }
        }
    }

    @Test func aTestIsAnEmptyQuery() {
        var upkeep = LinkUpkeep()
        #expect(upkeep.begin(.test) == Query("").encoded())
        #expect(upkeep.isAsking)
        let answer = EmptyQueryResponse().encoded() + idle
        #expect(steps(&upkeep, answer) == [.drop(byteCount: 5), .finished(byteCount: 6), .wait])
        #expect(!upkeep.isAsking)
    }

    @Test func cleaningRollsBackBeforeItDiscards() {
        var upkeep = LinkUpkeep()
        let asked = upkeep.begin(.clean(rollsBack: true, discards: true))
        #expect(asked == Query("ROLLBACK").encoded() + Query("DISCARD ALL").encoded())
        let rolledBack = CommandComplete("ROLLBACK").encoded() + idle
        let discarded = CommandComplete("DISCARD ALL").encoded() + idle
        let all = steps(&upkeep, rolledBack + discarded)
        #expect(all.suffix(2) == [.finished(byteCount: 6), .wait])
        #expect(all.count == 5)
    }

    @Test func aLinkThatIsNotIdleAfterwardsIsOfNoUse() {
        var upkeep = LinkUpkeep()
        _ = upkeep.begin(.clean(rollsBack: true, discards: false))
        let answer = CommandComplete("ROLLBACK").encoded() + ReadyForQuery(.inTransaction).encoded()
        #expect(steps(&upkeep, answer).last == .broken(.notIdle))
    }

    @Test func settingsAndNoticesMayComeUnasked() {
        var upkeep = LinkUpkeep()
        let status = ParameterStatus(name: "TimeZone", value: "UTC")
        let notice = NoticeResponse(severity: .notice, sqlState: .successfulCompletion, message: "hm")
        let bytes = status.encoded() + notice.encoded()
        #expect(
            steps(&upkeep, bytes) == [
                .parameter(byteCount: status.encoded().count, status), .drop(byteCount: notice.encoded().count), .wait,
            ])
    }

    @Test func whateverElseComesUnaskedEndsTheLink() {
        let shutdown = ErrorResponse(severity: .fatal, sqlState: .adminShutdown, message: "terminating")
        let cases: [([UInt8], LinkUpkeep.Fault)] = [
            (shutdown.encoded(), .refused(shutdown)),
            (idle, .unasked(.readyForQuery)),
            (CommandComplete("SELECT 1").encoded(), .unasked(.commandComplete)),
            ([0x7a, 0, 0, 0, 4], .unasked(BackendTag(rawValue: 0x7a))),
        ]
        for (bytes, fault) in cases {
            var upkeep = LinkUpkeep()
            #expect(steps(&upkeep, bytes) == [.broken(fault)])
        }
        var upkeep = LinkUpkeep()
        guard case .broken(.malformed) = upkeep.next([0x7a, 0xff, 0xff, 0xff, 0xff].span.bytes) else {
            Issue.record("a length below zero was taken")
            return
        }
    }

    @Test func aMessageIsAwaitedByteByByte() {
        var upkeep = LinkUpkeep()
        _ = upkeep.begin(.test)
        let bytes = EmptyQueryResponse().encoded()
        for count in 0..<bytes.count {
            #expect(upkeep.next(Array(bytes.prefix(count)).span.bytes) == .wait)
        }
        #expect(upkeep.next(bytes.span.bytes) == .drop(byteCount: 5))
    }
}
