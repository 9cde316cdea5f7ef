import Testing
import WaldenWire

@testable import WaldenSession

/// No client is told what another drew from a sequence, nor gets random numbers that another has seeded.
@Suite struct SequenceTests {
    private let servers = [SimulatedServer(), SimulatedServer()]
    private let undefined = "E(55000 lastval is not yet defined in this session)"

    private func session() -> PooledScript { PooledScript(servers: servers) }

    @Test(arguments: [[], ["INSERT x"]])
    func whoDrewNothingHereIsToldSo(_ earlier: [String]) {
        session().client(Query("SELECT nextval 7"))
        let other = session()
        other.next = 1
        for text in earlier { other.client(Query(text)) }
        _ = other.seen()
        other.next = 0
        other.client(Query("SELECT lastval"))
        #expect(other.seen() == "\(undefined) ZI")
        #expect(other.pins == [.sequenceState])
    }

    @Test func whatASessionDrewItselfItIsTold() {
        session().client(Query("SELECT nextval 7"))
        let other = session()
        other.client(Query("BEGIN"), Query("SELECT nextval 8"), Query("SELECT lastval"), Query("COMMIT"))
        #expect(other.seen() == "C ZT D(8) C ZT D(8) C ZT C ZI")
        other.client(Query("SELECT lastval"))
        #expect(other.seen() == "D(8) C ZI")
        #expect(!servers[0].log.contains("Q DISCARD SEQUENCES"))
    }

    /// As long as nobody else has written there.
    @Test func itIsToldSoInALaterTransaction() {
        let script = session()
        script.client(Query("SELECT nextval 8"))
        session().client(Query("SELECT 1"))
        script.client(Parse(query: "SELECT lastval"), Bind(), Execute(), Sync())
        #expect(script.seen() == "D(8) C ZI 1 2 D(8) C ZI")
        let other = session()
        other.client(Query("SELECT nextval 8"))
        session().client(Query("INSERT x"))
        other.client(Query("SELECT lastval"))
        #expect(other.seen() == "D(8) C ZI \(undefined) ZI")
    }

    /// Which of two servers drew last, nobody knows.
    @Test func whoWroteOnTwoServersIsToldNothingStale() {
        let script = session()
        script.client(Query("SELECT nextval 8"))
        script.next = 1
        script.client(Query("SELECT nextval 9"))
        script.next = 0
        script.client(Query("SELECT lastval"))
        #expect(script.seen() == "D(8) C ZI D(9) C ZI \(undefined) ZI")
    }

    @Test func aSeedBindsTheSessionForGood() {
        for text in ["SELECT setseed", "SET seed = 0.5"] {
            let script = session()
            script.client(Query(text), Query("SELECT 1"), Query("DISCARD ALL"))
            #expect(script.pins == [.randomSeed])
            #expect(script.abandonment == .close)
        }
    }

    @Test func discardAllEndsWhatSequencesBind() {
        let script = session()
        script.client(Query("SELECT lastval"), Query("DISCARD ALL"))
        #expect(script.pins.isEmpty)
        #expect(script.seen() == "\(undefined) ZI C ZI")
    }
}
