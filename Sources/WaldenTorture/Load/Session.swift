import Synchronization
import WaldenTestKit

/// What a worker connects to, what it is promised there, and how it speaks.
struct Role: Hashable, Sendable {
    /// Past Walden: what PostgreSQL itself does is judged by the same rules, which shows that the rules are right.
    var isDirect = false
    var level = Level.strict
    var isPrepared = false
    /// Of 100 steps, how many write.
    var writes = 0
}

/// One connection. A lost one is replaced by another session with a number of its own.
final class Session {
    private(set) var number: Int
    private(set) var client: SQLClient
    private(set) var backend: String
    let role: Role
    private let stack: WaldenStack
    private let layout: Layout
    private var prepared: [String: String] = [:]

    private static let numbers = Atomic<Int>(0)

    init(_ role: Role, _ stack: WaldenStack, _ layout: Layout) throws {
        self.role = role
        self.stack = stack
        self.layout = layout
        (number, client, backend) = try Self.open(role, stack)
    }

    /// Begins anew after the connection was lost.
    func reopen() throws {
        (number, client, backend) = try awaitValue("a session is opened", timeout: .seconds(60)) {
            try Self.open(role, stack)
        }
        prepared = [:]
    }

    /// What a pool does before it gives the connection to the next client, who is promised nothing about the last one.
    func discard() throws {
        guard !role.isDirect else { return }
        try client.query("DISCARD ALL")
        try client.query("SET walden.consistency = '\(role.level.rawValue)'")
        prepared = [:]
        number = Self.numbers.wrappingAdd(1, ordering: .relaxed).newValue
    }

    private static func open(_ role: Role, _ stack: WaldenStack) throws -> (Int, SQLClient, String) {
        let name = "application_name=torture"
        let client = try role.isDirect ? stack.cluster.primary.connect(name) : stack.walden.connect(name)
        client.timeout = .seconds(90)
        if !role.isDirect { try client.query("SET walden.consistency = '\(role.level.rawValue)'") }
        let backend = try client.scalar("SELECT pg_backend_pid()") ?? "0"
        return (numbers.wrappingAdd(1, ordering: .relaxed).newValue, client, backend)
    }

    /// Runs a read in the way of this session; its rows as text.
    func run(_ query: Query) throws -> [[String?]] {
        guard role.isPrepared else { return try client.query(query.text(layout)).texts }
        let (text, values) = query.statement(layout)
        if prepared[text] == nil {
            let name = "read\(prepared.count)"
            try client.prepare(name, text)
            prepared[text] = name
        }
        return try client.execute(prepared: prepared[text] ?? "", values.map { "\($0)" }).texts
    }

    /// Runs a statement that writes.
    func run(_ sql: String) throws {
        if role.isPrepared { try client.query(sql, []) } else { try client.query(sql) }
    }
}

extension PostgresServer {
    fileprivate func connect(_ more: String) throws -> SQLClient {
        try connect(database: "postgres", user: "postgres", more)
    }
}

extension WaldenProcess {
    fileprivate func connect(_ more: String) throws -> SQLClient {
        try connect(database: "postgres", user: "postgres", more)
    }
}
