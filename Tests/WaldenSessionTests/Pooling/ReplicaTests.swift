import Testing
import WaldenCore
import WaldenDependency
import WaldenWire

@testable import WaldenSession

/// Transactions and reads that other nodes than the primary may serve.
@Suite struct ReplicaTests {
    private let servers = [SimulatedServer(), SimulatedServer(node: 1), SimulatedServer(node: 2)]

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
        #expect(first?.lastReplica == nil)
        #expect(second?.sawAt == Instant(nanoseconds: 20))
        #expect(second?.lastReplica == NodeID(1))
        #expect(second?.lastReplicaAt == Instant(nanoseconds: 30))
        #expect(second?.instant(arrivedAt: Instant(nanoseconds: 40)) == Instant(nanoseconds: 20))
    }

    /// What another client's statement has read counts as read where that read it.
    @Test func aSharedResultOfAReplicaWasSeenThere() {
        let script = PooledScript(servers: servers)
        script.clock = 10
        script.client(Query("SELECT 1"))
        script.machine.saw(resultOf: NodeID(2), endedAt: Instant(nanoseconds: 20))
        script.client(Query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        let first = script.demands.last?.needs
        #expect(first?.sawAt == Instant(nanoseconds: 10))
        #expect(first?.lastReplica == NodeID(2))
        #expect(first?.lastReplicaAt == Instant(nanoseconds: 20))
        #expect(first?.isSettled == false)
        #expect(script.unsettledRead() == NodeID(2))
        #expect(script.unsettledRead(.bounded) == nil)
        script.client(Query("COMMIT"))
        script.machine.saw(resultOf: nil, endedAt: Instant(nanoseconds: 30))
        script.client(Query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        #expect(script.demands.last?.needs?.sawAt == Instant(nanoseconds: 30))
        #expect(script.demands.last?.needs?.isSettled == false, "that was another's choice")
        script.machine.readsAtPrimary()
        #expect(script.unsettledRead() == nil)
    }

    /// Case 57.
    @Test func aReadThatAReplicaRefusesIsRunOnceOnThePrimary() {
        let script = PooledScript(servers: servers)
        script.next = 1
        script.answersAtOnce = false
        script.client(Query("READ f()"))
        script.next = 0
        script.say(ErrorResponse(sqlState: .readOnlySQLTransaction, message: "no").encoded())
        #expect(script.seen().isEmpty)
        script.say(ReadyForQuery(.idle).encoded())
        script.answersAtOnce = true
        script.clientBytes([])
        #expect(script.seen() == "D(READ f()) C ZI")
        #expect(script.takeEvents() == ["acquire 1", "rerun", "release 1", "acquire 0", "release 0"])
    }

    @Test func aReadThatHasShownRowsIsNotRunAgain() {
        let script = PooledScript(servers: servers)
        script.next = 1
        script.answersAtOnce = false
        script.client(Query("READ f()"))
        script.say(DataRow([Array("1".utf8)]).encoded())
        script.say(ErrorResponse(sqlState: .serializationFailure, message: "no").encoded())
        script.say(ReadyForQuery(.idle).encoded())
        #expect(script.seen() == "D(1) E(40001 no) ZI")
    }

    @Test func aReadIsRunAgainWhenItsReplicaIsLost() {
        let script = PooledScript(servers: servers)
        script.next = 1
        script.answersAtOnce = false
        script.client(Parse(query: "READ f()"), Bind(), Execute(), Sync())
        script.say(ParseComplete().encoded() + BindComplete().encoded())
        #expect(script.seen().isEmpty)
        script.next = 0
        script.answersAtOnce = true
        guard case .rerun = script.loseServer() else {
            Issue.record("it is not run again")
            return
        }
        #expect(script.seen() == "1 2 D(READ f()) C ZI")
    }

    /// A conflict with what it replays is the one replica's; another may serve the read. The primary does in the end.
    @Test func aReadThatAReplicaGaveUpAvoidsIt() {
        let script = PooledScript(servers: servers)
        script.answersAtOnce = false
        for node in 1...2 {
            script.next = node
            if node == 1 { script.client(Query("READ f()")) } else { script.clientBytes([]) }
            #expect(script.demands.last?.needs?.avoided == (node == 1 ? nil : NodeID(1)))
            script.say(ErrorResponse(sqlState: .serializationFailure, message: "conflict").encoded())
            script.say(ReadyForQuery(.idle).encoded())
        }
        script.next = 0
        script.answersAtOnce = true
        script.clientBytes([])
        #expect(script.demands.last == .primary)
        #expect(script.takeUnrouted() == .rerun)
        #expect(script.seen() == "D(READ f()) C ZI")
        script.client(Query("READ f()"))
        #expect(script.demands.last?.needs?.avoided == nil, "the next one begins anew")
    }

    @Test func aReadThatLostItsReplicaAvoidsIt() {
        let script = PooledScript(servers: servers)
        script.next = 1
        script.answersAtOnce = false
        script.client(Query("READ f()"))
        script.next = 2
        script.answersAtOnce = true
        _ = script.loseServer()
        #expect(script.demands.last?.needs?.avoided == NodeID(1))
        #expect(script.seen() == "D(READ f()) C ZI")
    }

    /// A client of the read-only address has no primary, so that two replicas that fail end the patience.
    @Test func aReaderIsToldWhatTheThirdReplicaSays() {
        let script = PooledScript(servers: servers, isReadOnly: true)
        script.answersAtOnce = false
        for node in [1, 2, 1] {
            script.next = node
            if script.demands.isEmpty { script.client(Query("READ f()")) } else { script.clientBytes([]) }
            script.say(ErrorResponse(sqlState: .serializationFailure, message: "conflict").encoded())
            script.say(ReadyForQuery(.idle).encoded())
        }
        #expect(script.seen() == "E(40001 conflict) ZI")
        script.next = 1
        script.client(Query("READ f()"))
        script.say(ErrorResponse(sqlState: .readOnlySQLTransaction, message: "no").encoded())
        script.say(ReadyForQuery(.idle).encoded())
        #expect(script.seen() == "E(25006 no) ZI", "no replica would do it")
    }

    /// Each statement of a session that a replica has bound is as fresh as its level asks for.
    @Test func aBoundReplicaIsConfirmedForEachStatement() {
        let script = PooledScript(servers: servers, isReadOnly: true)
        script.next = 1
        script.client(Query("SELECT pg_advisory_lock(1)"))
        #expect(script.pins == [.advisoryLock])
        _ = script.takeEvents()
        script.client(Query("READ f()"), Query("READ g()"))
        #expect(script.takeEvents() == ["confirm", "confirm"])
        guard case .confirm? = script.demands.last else {
            Issue.record("\(script.demands)")
            return
        }
    }

    /// SERIALIZABLE apart, what `default_transaction_read_only` says is as good as READ ONLY.
    @Test func transactionsThatAreReadOnlyByDefault() {
        let script = PooledScript(servers: servers, isCaching: true)
        script.client(Query("BEGIN"), Query("COMMIT"))
        script.client(Query("SET default_transaction_read_only = on"))
        script.client(Query("BEGIN"), Query("COMMIT"))
        script.next = 1
        script.client(Query("BEGIN"), Query("SELECT a"), Query("COMMIT"))
        guard case .readTransaction? = script.demands.last else {
            Issue.record("\(script.demands)")
            return
        }
        #expect(servers[1].log.contains("Q BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY"), "\(servers[1].log)")
        script.next = 0
        script.client(Query("BEGIN"), Query("SET TRANSACTION READ WRITE"), Query("COMMIT"))
        #expect(script.demands.last == .primary)
    }

    /// A replica that the transaction stays on may fall behind what is committed before its next statement comes.
    @Test func strictTransactionsAreThePrimarys() {
        let script = PooledScript(servers: servers)
        script.client(Query("SET walden.consistency = strict"))
        script.client(Query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), Query("COMMIT"))
        #expect(script.demands.allSatisfy { $0 == .primary })
    }

    @Test func whatIsNotRoutedSaysWhy() {
        let script = PooledScript(servers: servers)
        script.client(Query("SELECT 1"))
        #expect(script.takeUnrouted() == .unproven(.catalogUnknown))
        script.client(Query("INSERT x"))
        #expect(script.takeUnrouted() == nil, "a write is no read")
        script.client(Query("BEGIN"), Query("READ f()"))
        #expect(script.takeUnrouted() == .bound)
        script.client(Query("COMMIT"))
    }

    /// What comes after a read on a replica chooses its server anew.
    @Test func theNextUnitWaitsForTheReplicasAnswer() {
        let script = PooledScript(servers: servers)
        script.next = 1
        script.answersAtOnce = false
        script.client(Query("READ f()"), Query("INSERT x"))
        #expect(script.takeEvents() == ["acquire 1"])
        script.next = 0
        script.answersAtOnce = true
        script.pump()
        #expect(script.seen() == "D(READ f()) C ZI D(INSERT x) C ZI")
        #expect(script.takeEvents() == ["release 1", "acquire 0", "release 0"])
    }
}
