import Synchronization
import Testing
import WaldenCore

@testable import WaldenPostgres

@Suite struct ThreadTests {
    @Test func joinWaitsForTheBody() throws {
        let done = Atomic<Bool>(false)
        let box = Box(done)
        let thread = try OwnedThread(name: "a-name-longer-than-fifteen-bytes") { box.set() }
        thread.join()
        #expect(box.isSet)
        thread.join()
    }

    private final class Box: Sendable {
        private let value: Atomic<Bool>

        init(_ value: consuming Atomic<Bool>) {
            self.value = value
        }

        func set() { value.store(true, ordering: .sequentiallyConsistent) }
        var isSet: Bool { value.load(ordering: .sequentiallyConsistent) }
    }

    @Test func aRaisedWakeEndsWaitsUntilLowered() throws {
        let wake = try Wake()
        wake.raise()
        wake.raise()
        #expect(wake.isRaised)
        #expect(Polling.wait([.reading(wake.readEnd)], until: .distantFuture) == 1)
        wake.lower()
        #expect(!wake.isRaised)
        #expect(Polling.wait([.reading(wake.readEnd)], until: .distantPast) == 0)
        wake.raise()
        #expect(Polling.wait([.reading(wake.readEnd)], until: .distantFuture) == 1)
    }

    @Test func aWakeFromAnotherThreadEndsAWait() throws {
        let wake = try Wake()
        let thread = try OwnedThread(name: "raiser") { wake.raise() }
        #expect(Polling.wait([.reading(wake.readEnd)], until: .distantFuture) == 1)
        thread.join()
    }

    @Test func theMaskTellsWhichIsReady() throws {
        let quiet = try Wake()
        let raised = try Wake()
        raised.raise()
        let ready = Polling.wait([.reading(quiet.readEnd), .reading(raised.readEnd)], until: .distantFuture)
        #expect(ready == 2)
    }

    @Test func waitsEndAtTheirDeadlineAndNotBefore() throws {
        let wake = try Wake()
        let deadline = MonotonicClock.now() + .microseconds(1500)
        #expect(Polling.wait([.reading(wake.readEnd)], until: deadline) == 0)
        #expect(MonotonicClock.now() >= deadline)
    }

    @Test func anInterruptedSleepEndsAtOnce() throws {
        let interrupt = try Interrupt()
        interrupt.raise()
        Polling.sleep(until: .distantFuture, unless: interrupt)
        #expect(interrupt.isRaised)
    }

    @Test func theClockDoesNotRunBack() {
        let first = MonotonicClock.now()
        #expect(MonotonicClock.now() >= first)
        #expect(WallClock.microseconds() > 820_000_000_000_000, "this was written after 2025")
    }
}

@Suite struct ConnectionTests {
    @Test func aRefusedConnectionIsUnreachable() throws {
        // Port 1 is tcpmux, which nobody runs.
        let dsn = try DSN("host=127.0.0.1 port=1 user=x", defaults: [:])
        let error = #expect(throws: PostgresError.self) { try Connection.open(dsn) }
        #expect(error?.kind == .unreachable)
        #expect(error?.sqlState == nil)
    }

    @Test func theLastHostsFailureIsTold() throws {
        let dsn = try DSN("host=127.0.0.1,/nonexistent port=1 user=x", defaults: [:])
        let error = #expect(throws: PostgresError.self) { try Connection.open(dsn) }
        #expect(error?.message.contains("/nonexistent") == true)
    }

    @Test func anInterruptEndsConnecting() throws {
        let interrupt = try Interrupt()
        interrupt.raise()
        // A documentation address: packets to it are lost, so that only the interrupt can end the attempt at once.
        let dsn = try DSN("host=192.0.2.1 user=x", defaults: [:])
        let error = #expect(throws: PostgresError.self) { try Connection.open(dsn, interrupt: interrupt) }
        #expect(error?.kind == .interrupted || error?.kind == .unreachable)
    }

    @Test func stringsForCEndWithNull() {
        let array = CStringArray(["a", nil, "ü"])
        #expect(array.pointers.count == 4)
        #expect(array.pointers[0].map { String(cString: $0) } == "a")
        #expect(array.pointers[1] == nil)
        #expect(array.pointers[2].map { String(cString: $0) } == "ü")
        #expect(array.pointers[3] == nil)
    }
}
