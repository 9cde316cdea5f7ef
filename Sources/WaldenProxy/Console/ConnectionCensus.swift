import Glibc
import NIOCore
import WaldenConsole
import WaldenCore
import WaldenWire

/// Looks at all client connections on their event loops: a bounded number at a time, so that no client waits long behind
/// it. Nothing is kept between two looks.
struct ConnectionCensus: Sendable {
    /// Connections looked at in one turn of a loop.
    static let batch = 256
    /// Connections that one answer shows.
    static let rowLimit = 65_536

    let connections: ConnectionSet
    let context: ProxyContext

    func snapshot() async -> ConnectionSnapshot {
        let channels = connections.all
        let clock = WallClock()
        let seen = await visit(Array(channels.prefix(Self.rowLimit))) { $0.rows(clock) }
        var snapshot = ConnectionSnapshot()
        snapshot.clients = seen.map(\.client).sorted { $0.id < $1.id }
        let pooled = await context.pools.rows(clock, batch: Self.batch)
        snapshot.servers = (seen.compactMap(\.server) + pooled).sorted { $0.id < $1.id }
        snapshot.paused = context.pools.pausedDatabases
        snapshot.omitted = max(0, channels.count - Self.rowLimit)
        snapshot.traffic = context.traffic.sums
        return snapshot
    }

    /// Closes the connection of that client; false when there is none.
    func killClient(_ id: UInt64) async -> Bool {
        let killed = await visit(connections.all) { $0.kill { $0.id == id } ? true : nil }
        return !killed.isEmpty
    }

    /// Closes all clients of a database, or of all; the console's own are spared. How many they were.
    func killClients(of database: String?) async -> Int {
        await visit(connections.all) { end in
            end.kill { !$0.isConsole && (database == nil || $0.database == database) } ? true : nil
        }.count
    }

    /// Ends sessions that are bound to the node and can be ended; how many still have a connection there.
    func leavePrimary(_ node: NodeID) async -> Int {
        await visit(connections.all) { $0.leavePrimary(node) ? true : nil }.count
    }

    /// Runs `look` for each connection on its loop. Those that have closed meanwhile are left out.
    private func visit<Value: Sendable>(
        _ channels: [any Channel], _ look: @escaping @Sendable (any ClientEnd) -> Value?
    ) async -> [Value] {
        var values: [Value] = []
        for (_, channels) in Dictionary(grouping: channels, by: { ObjectIdentifier($0.eventLoop) }) {
            guard let loop = channels.first?.eventLoop else { continue }
            for start in stride(from: 0, to: channels.count, by: Self.batch) {
                let batch = channels[start..<min(start + Self.batch, channels.count)]
                let part = try? await loop.submit { batch.compactMap { $0.clientEnd.flatMap(look) } }.get()
                values += part ?? []
            }
        }
        return values
    }
}

/// What serves a client's channel, as the census sees it on the channel's loop.
protocol ClientEnd {
    func rows(_ clock: WallClock) -> (client: ConnectionRow, server: ConnectionRow?)
    /// Closes the connection if `condition` holds for it; whether it did.
    func kill(where condition: (ClientIdentity) -> Bool) -> Bool
    /// Whether it has a connection to the node and cannot do without yet.
    func leavePrimary(_ node: NodeID) -> Bool
}

/// What a client is known by.
struct ClientIdentity: Sendable {
    let id: UInt64
    var user = ""
    var database = ""
    var applicationName = ""
    var isConsole = false
}

extension Channel {
    /// Only on its loop.
    fileprivate var clientEnd: (any ClientEnd)? {
        if let handler = try? pipeline.syncOperations.handler(type: ClientHandler.self) { return handler.connection }
        return try? pipeline.syncOperations.handler(type: ConsoleHandler.self)
    }
}

/// Turns instants into times of the day.
struct WallClock: Sendable {
    private let now: Instant
    private let microseconds: Int64

    init() {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        microseconds = Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
        now = Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds)
    }

    func time(of instant: Instant) -> WallTime {
        WallTime(microseconds: microseconds - age(of: instant))
    }

    /// In microseconds.
    func age(of instant: Instant) -> Int64 { now.elapsed(since: instant).wholeNanoseconds / 1_000 }
}

extension ErrorResponse {
    /// In PostgreSQL's words for `pg_terminate_backend`.
    static let killed = ErrorResponse(
        severity: .fatal, sqlState: .adminShutdown,
        message: "terminating connection due to administrator command")

    static let drained = ErrorResponse(
        severity: .fatal, sqlState: .adminShutdown,
        message: "terminating connection because Walden is shutting down")
}
