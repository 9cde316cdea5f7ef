import Synchronization
import WaldenConsole
import WaldenCore

/// The traffic of each database, over all event loops.
final class TrafficLedger: Sendable {
    /// Databases that are counted apart. Names come from clients; those beyond are counted together.
    static let databaseLimit = 1_024
    static let others = "(others)"

    private let accounts = Mutex<[String: TrafficAccount]>([:])

    func account(of database: String) -> TrafficAccount {
        accounts.withLock { accounts in
            if let known = accounts[database] { return known }
            let name = accounts.count < Self.databaseLimit ? database : Self.others
            if let known = accounts[name] { return known }
            let new = TrafficAccount(database: name)
            accounts[name] = new
            return new
        }
    }

    /// By the databases' names.
    var sums: [DatabaseTraffic] {
        accounts.withLock { Array($0.values) }.map(\.current).sorted { $0.database < $1.database }
    }
}

/// The traffic of one database. Each connection adds what it has gathered once a read.
final class TrafficAccount: Sendable {
    private let total: Mutex<DatabaseTraffic>

    init(database: String) {
        total = Mutex(DatabaseTraffic(database: database))
    }

    func add(_ part: TrafficPart) {
        total.withLock { total in
            total.transactions &+= UInt64(part.transactions)
            total.queries &+= UInt64(part.queries)
            total.received &+= UInt64(part.received)
            total.sent &+= UInt64(part.sent)
            total.transactionMicroseconds &+= part.transactionTime / 1_000
            total.queryMicroseconds &+= part.queryTime / 1_000
            total.waitMicroseconds &+= part.waitTime / 1_000
        }
    }

    var current: DatabaseTraffic { total.withLock { $0 } }
}

/// What one connection has gathered since it last told its account. Times in nanoseconds.
struct TrafficPart {
    var queries: UInt32 = 0
    var transactions: UInt32 = 0
    var received = 0
    var sent = 0
    var transactionTime: UInt64 = 0
    var queryTime: UInt64 = 0
    var waitTime: UInt64 = 0

    var isEmpty: Bool { queries == 0 && received == 0 && sent == 0 && waitTime == 0 }
}

/// When a session's server began what is under way.
struct ServerUse {
    private var queryBegan: Instant?
    private var transactionBegan: Instant?

    /// Something is sent to the server.
    mutating func begin(_ now: Instant) {
        if queryBegan == nil { queryBegan = now }
        if transactionBegan == nil { transactionBegan = now }
    }

    /// The server has answered a unit.
    ///
    /// - Parameter isQuiescent: No other is under way, and no transaction open.
    mutating func end(_ now: Instant, isIdle: Bool, isQuiescent: Bool, _ part: inout TrafficPart) {
        if let queryBegan { part.queryTime &+= now.nanosecondsSince(queryBegan) }
        queryBegan = isQuiescent || !isIdle ? nil : now
        guard isIdle else { return }
        if let transactionBegan { part.transactionTime &+= now.nanosecondsSince(transactionBegan) }
        transactionBegan = isQuiescent ? nil : now
    }
}

extension Instant {
    func nanosecondsSince(_ earlier: Instant) -> UInt64 {
        nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
    }
}
