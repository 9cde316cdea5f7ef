import WaldenCore
import WaldenFailover

/// A PostgreSQL server as far as failover is concerned: its log, its recovery, and who follows whom.
struct SimulatedNode {
    enum Process: Hashable {
        case up
        /// SIGSTOP: nothing is done, connections stay, messages wait.
        case frozen
        case down
    }

    /// A record of the log; a position is the number of records before it.
    struct Record: Hashable {
        let timeline: UInt32
        /// A client's transaction; 0: a heartbeat or such.
        let write: UInt64
        /// Unique among all records: two nodes that write the same position write different log.
        let mark: UInt64
    }

    /// A commit that waits for standbys.
    struct Waiter {
        let end: Int
        let kind: Kind

        enum Kind {
            case write(Write)
            case beat(life: Int)
        }
    }

    let id: NodeID
    let name: String

    // On disk.
    var log: [Record] = []
    var timeline: UInt32 = 1
    /// As the control file has it: what a rewind from here goes by.
    var checkpointTimeline: UInt32 = 1
    var isStandby: Bool
    var upstream: NodeID?
    var synchronousNames = ""
    var hasSlot = false

    // In memory.
    var process = Process.up
    /// Rises with each start.
    var run = 0
    /// New connections hang (the postmaster alone is stopped).
    var hangsAccept = false
    /// No place for more connections.
    var isFull = false
    /// Nothing can be written to its disk.
    var isDiskFull = false
    var isReplayPaused = false
    var replayed = 0
    /// The connection by which it receives: to whom, since when it has heard nothing, and its number.
    var receiver: (from: NodeID, heardAt: Instant, connection: Int)?
    var connections = 0
    /// What standbys have told to have flushed.
    var flushedBy: [NodeID: Int] = [:]
    var waiters: [Waiter] = []
    /// What came while it was frozen.
    var inbox: [Message] = []
    /// The sentinel's session: of which life; nil: none.
    var session: Int?

    init(id: NodeID, name: String, upstream: NodeID?) {
        self.id = id
        self.name = name
        self.upstream = upstream
        isStandby = upstream != nil
    }

    var isWriting: Bool { process == .up && !isStandby }

    mutating func append(_ write: UInt64, mark: UInt64) -> Int {
        log.append(Record(timeline: timeline, write: write, mark: mark))
        replayed = log.count
        return log.count
    }

    /// Standbys that have told to have flushed so much.
    func holders(of end: Int) -> Set<NodeID> { Set(flushedBy.filter { $0.value >= end }.keys) }

    /// The commits that are acknowledged by now, in order.
    mutating func takeAcknowledged(_ rule: SynchronousRule?) -> [Waiter] {
        let isAcknowledged = waiters.map { rule?.canAcknowledge(with: holders(of: $0.end)) ?? true }
        let done = zip(waiters, isAcknowledged).filter(\.1).map(\.0)
        guard !done.isEmpty else { return [] }
        waiters = zip(waiters, isAcknowledged).filter { !$0.1 }.map(\.0)
        return done
    }

    func report(asked: Instant, now: Instant) -> NodeReport {
        let position = LSN(UInt64(log.count) * 100 + 100)
        return NodeReport(
            systemIdentifier: "1", timeline: TimelineID(timeline), isInRecovery: isStandby, received: position,
            replayed: isStandby ? LSN(UInt64(replayed) * 100 + 100) : position,
            receiver: receiver.map { .init(isStreaming: true, silentFor: now.elapsed(since: $0.heardAt)) },
            hasUpstream: isStandby && upstream != nil, synchronousStandbyNames: synchronousNames,
            freeSlots: hasSlot ? 0 : 1, isReplayPaused: isReplayPaused, askedAt: asked)
    }

    /// The records that both logs begin with.
    func common(with other: SimulatedNode) -> Int {
        let shared = min(log.count, other.log.count)
        // Logs differ rarely, and then near their ends.
        if log[..<shared] == other.log[..<shared] { return shared }
        return zip(log, other.log).prefix { $0 == $1 }.count
    }
}

extension SimulatedNode: CustomStringConvertible {
    var description: String {
        let role = isStandby ? "follows \(upstream.map { "\($0)" } ?? "nobody")" : "writes, names '\(synchronousNames)'"
        let link = receiver.map { ", receives from \($0.from)" } ?? ""
        return "\(name) \(process), \(role)\(link), timeline \(timeline), log \(log.count), waiters \(waiters.count)"
    }
}
