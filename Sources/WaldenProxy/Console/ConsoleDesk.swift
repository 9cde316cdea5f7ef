public import WaldenConsole
import WaldenPool
import WaldenWire

/// What the console asks of the rest of the process.
public protocol ConsoleCommands: Sendable {
    /// Drops the results that read the relation; nil: all.
    func flush(_ relation: RelationName?) async -> ConsoleOutcome
    /// Reads the configuration again.
    func reload() async -> ConsoleOutcome
}

/// The console of one proxy: who may use it, what it shows and what it can do.
public struct ConsoleServices: Sendable {
    public var access: ConsoleAccess
    let source: any ConsoleSource
    let commands: any ConsoleCommands

    public init(access: ConsoleAccess, source: any ConsoleSource, commands: any ConsoleCommands) {
        self.access = access
        self.source = source
        self.commands = commands
    }
}

/// Carries out what one console session asks, off the event loops.
struct ConsoleDesk: Sendable {
    let services: ConsoleServices
    let census: ConnectionCensus
    /// Nil where each client has a server connection of its own.
    let pools: ServerPools?

    func answer(_ request: ConsoleRequest) async -> ConsoleOutcome {
        switch request {
        case .show(let view):
            var connections = ConnectionSnapshot()
            if view.needsConnections { connections = await census.snapshot() }
            return .table(view.table(from: services.source, connections))
        case .command(.reload): return await services.commands.reload()
        case .command(.flush(let relation)): return await services.commands.flush(relation)
        case .command(.kill(let database)):
            let paused = pools.map { named(database, $0) } ?? []
            for database in paused { pools?.stop(.database(database)) }
            let count = await census.killClients(of: database)
            return .done(
                remarks: ["\(count) client connections were closed"]
                    + paused.map { "database \"\($0)\" is paused until RESUME" })
        case .command(.killClient(let id)):
            if await census.killClient(id) { return .done(remarks: []) }
            return .refused(
                ConsoleRefusal(.undefinedObject, "there is no client \(id)", hint: "SHOW CLIENTS shows their ids."))
        case .command(.pause(let database)):
            guard let pools else { return Self.noPools }
            for database in named(database, pools) { await pools.pause(.database(database)) }
            return .done(remarks: [])
        case .command(.resume(let database)):
            guard let pools else { return Self.noPools }
            for database in named(database, pools) { pools.resume(.database(database)) }
            return .done(remarks: [])
        case .command(.reconnect(let database)):
            guard let pools else { return Self.noPools }
            pools.reconnect(database)
            return .done(remarks: [])
        }
    }

    private static let noPools = ConsoleOutcome.refused(
        ConsoleRefusal(
            .objectNotInPrerequisite, "there are no pools of server connections",
            detail: "Under auth.method: relay each server connection belongs to the client that logged in by it.",
            hint: "KILL and KILL_CLIENT close clients' connections, and with them those to the server."))

    /// The database named, or all that are in use.
    private func named(_ database: String?, _ pools: ServerPools) -> [String] {
        database.map { [$0] } ?? pools.databases.union(pools.pausedDatabases).sorted()
    }
}
