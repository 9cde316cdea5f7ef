import Testing
import WaldenTestKit

@testable import WaldenConformance

/// Every difference that a client could see has to be found, and no more than the masks name may be overlooked.
@Suite struct TraceTests {
    private func trace(_ events: Trace.Event...) -> Trace {
        var trace = Trace()
        for event in events { trace.add(event, of: "A") }
        return trace
    }

    private func message(_ tag: Unicode.Scalar, _ body: String) -> Trace.Event {
        .message(BackendMessage(tag: tag, body: Array(body.utf8)))
    }

    private func error(_ severity: String, _ state: String, _ text: String, _ more: String = "") -> Trace.Event {
        message("E", "S\(severity)\0V\(severity)\0C\(state)\0M\(text)\0\(more)\0")
    }

    @Test func oneByteIsADifference() throws {
        let reference = trace(message("C", "SELECT 1\0"), message("Z", "I"))
        #expect(trace(message("C", "SELECT 1\0"), message("Z", "I")).difference(from: reference) == nil)
        let other = trace(message("C", "SELECT 1\0"), message("Z", "T"))
        let difference = try #require(other.difference(from: reference))
        #expect(difference.contains("after 1 equal") && difference.contains("PostgreSQL: Z I"))
        #expect(difference.contains("Walden: Z T"))
    }

    @Test func lessAndMoreAreDifferences() {
        let reference = trace(message("Z", "I"), .end)
        #expect(trace(message("Z", "I")).difference(from: reference) != nil)
        #expect(trace(message("Z", "I"), .end, .end).difference(from: reference) != nil)
        #expect(Trace().difference(from: reference) != nil)
        #expect(reference.difference(from: Trace()) != nil)
    }

    @Test func clientsAreToldApart() {
        var one = Trace()
        one.add(.end, of: "A")
        var two = Trace()
        two.add(.end, of: "B")
        #expect(one.difference(from: two) != nil)
    }

    @Test func cancelKeysDifferInTheirBytesNotTheirLength() {
        let reference = trace(message("K", "12345678"))
        #expect(trace(message("K", "87654321")).difference(from: reference) == nil)
        #expect(trace(message("K", "876543210")).difference(from: reference) != nil)
    }

    @Test func notificationsDifferInTheirProcessOnly() {
        let reference = trace(message("A", "\0\0\0\u{1}news\0x\0"))
        #expect(trace(message("A", "\0\0\0\u{2}news\0x\0")).difference(from: reference) == nil)
        #expect(trace(message("A", "\0\0\0\u{1}news\0y\0")).difference(from: reference) != nil)
    }

    @Test func statusesMayChangePlacesInARunOnly() {
        let (one, two) = (message("S", "a\01\0"), message("S", "b\02\0"))
        let reference = trace(one, two, message("Z", "I"))
        #expect(trace(two, one, message("Z", "I")).difference(from: reference) != nil)
        #expect(trace(two, one, message("Z", "I")).difference(from: reference, [.statusOrder]) == nil)
        #expect(trace(one, message("Z", "I"), two).difference(from: reference, [.statusOrder]) != nil)
        #expect(trace(one, one, message("Z", "I")).difference(from: reference, [.statusOrder]) != nil)
    }

    @Test func numbersAreMaskedInErrorsOnlyAndOnlyOnDemand() {
        let reference = trace(error("ERROR", "40P01", "deadlock", "DProcess 12 waits"))
        let other = trace(error("ERROR", "40P01", "deadlock", "DProcess 345 waits"))
        #expect(other.difference(from: reference) != nil)
        #expect(other.difference(from: reference, [.numbers]) == nil)
        let another = trace(error("ERROR", "40P02", "deadlock", "DProcess 12 waits"))
        #expect(another.difference(from: reference, [.numbers]) != nil)
        #expect(trace(message("D", "1")).difference(from: trace(message("D", "2")), [.numbers]) != nil)
    }

    @Test func tablesAreMaskedInRowDescriptionsOnly() {
        func columns(_ table: Character, _ type: Character) -> Trace.Event {
            let column = "\0\0\0\0\(table)\0\u{1}\0\0\0\(type)\0\u{4}1234\0\0"
            return message("T", "\0\u{2}a\(column)b\(column)")
        }
        let reference = trace(columns("1", "x"))
        #expect(trace(columns("2", "x")).difference(from: reference) != nil)
        #expect(trace(columns("2", "x")).difference(from: reference, [.tables]) == nil)
        #expect(trace(columns("2", "y")).difference(from: reference, [.tables]) != nil)
    }

    @Test func refusalMayEndWherePostgreSQLGoesOn() {
        let reference = trace(error("ERROR", "08P01", "bad", "Ffile.c"), message("Z", "I"), .end)
        #expect(trace(error("FATAL", "08P01", "bad"), .end).difference(from: reference, [.refusal]) == nil)
        #expect(trace(error("FATAL", "08P01", "bad"), .end).difference(from: reference) != nil)
        #expect(trace(error("FATAL", "08P01", "other"), .end).difference(from: reference, [.refusal]) != nil)
        #expect(trace(error("FATAL", "22000", "bad"), .end).difference(from: reference, [.refusal]) != nil)
        #expect(trace(error("ERROR", "08P01", "bad"), .end).difference(from: reference, [.refusal]) != nil)
        #expect(trace(error("FATAL", "08P01", "bad"), message("Z", "T")).difference(from: reference, [.refusal]) != nil)
    }

    @Test func refusalMaySayWhyItCloses() {
        let reference = trace(.end)
        #expect(trace(error("FATAL", "08P01", "bad"), .end).difference(from: reference, [.refusal]) == nil)
        #expect(trace(error("FATAL", "08P01", "bad")).difference(from: reference, [.refusal]) != nil)
        #expect(trace(message("Z", "I"), .end).difference(from: reference, [.refusal]) != nil)
    }
}
