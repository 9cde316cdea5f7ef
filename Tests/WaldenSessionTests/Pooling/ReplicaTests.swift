import Testing
import WaldenCore
import WaldenWire

@testable import WaldenSession

/// Transactions and reads that other nodes than the primary may serve.
@Suite struct ReplicaTests {
    private let servers = [SimulatedServer(), SimulatedServer(node: 1), SimulatedServer(node: 2)]

    private func needs(_ demand: ServerDemand?) -> ReadNeeds? { demand?.needs }

    /// Case 58.
    @Test func aReadOnlyTransactionStaysOnOneReplica() {
        let script = PooledScript(servers: servers)
        script.next = 1
        script.client(Query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        script.next = 0
        script.client(Query("SELECT 1"), Query("SELECT 2"), Query("COMMIT"), Query("INSERT x"))
        #expect(script.takeEvents() == ["acquire 1", "release 1", "acquire 0", "release 0"])
        guard case .readTransaction? = script.demands.first else {
            Issue.record("\(script.demands)")
            return
        }
        #expect(script.demands.last == .primary)
    }

    @Test func otherTransactionsAreThePrimarys() {
        let script = PooledScript(servers: servers)
        script.client(Query("BEGIN"), Query("COMMIT"))
        script.client(Query("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY"), Query("COMMIT"))
        script.client(Query("SELECT 1"))
        #expect(script.demands.allSatisfy { $0 == .primary })
    }

    @Test func whatASessionHasSeenIsAskedOfTheNextReplica() {
        let script = PooledScript(servers: servers)
        script.clock = 10
        script.client(Query("INSERT x"))
        script.clock = 20
        script.client(Query("SELECT 1"))
        script.next = 1
        let begin = Query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        script.client(begin)
        script.clock = 30
        script.client(Query("SELECT 1"), Query("COMMIT"))
        script.next = 2
        script.client(begin)
        let first = script.demands[2].needs
        let second = script.demands[3].needs
        #expect(first?.wroteAt == Instant(nanoseconds: 10))
        #expect(first?.sawAt == Instant(nanoseconds: 20))
        #expect(first?.sticky == nil)
        #expect(second?.sawAt == Instant(nanoseconds: 30))
        #expect(second?.sticky == NodeID(1))
        #expect(second?.sawElsewhereAt == Instant(nanoseconds: 20))
        let arrival = Instant(nanoseconds: 40)
        #expect(second?.freshness(on: NodeID(1), arrivedAt: arrival).session == Instant(nanoseconds: 20))
        #expect(second?.freshness(on: NodeID(2), arrivedAt: arrival).session == Instant(nanoseconds: 30))
    }
}
