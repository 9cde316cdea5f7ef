import CBenchmark
import Glibc
import WaldenTestKit

/// What all cases stand on: one PostgreSQL primary with the benchmark's tables, a directory for configuration files,
/// and the split of the processors.
final class Workbench {
    /// The server, and whatever stands before it, run on the first processor, the load on the second.
    static let serverProcessor = 0
    static let loadProcessor = 1
    static let serverMask: UInt64 = 1 << 0
    static let allMask: UInt64 = 3

    let effort: Effort
    let selection: Selection
    let cluster: Cluster
    let scratch: Scratch

    /// Rows of `bench_account`; keys above are not there.
    let accounts: Int
    private var hasWaldensObjects = false

    init(effort: Effort, selection: Selection) throws {
        guard sysconf(Int32(_SC_NPROCESSORS_ONLN)) >= 2 else {
            throw TestKitError("the benchmark needs two processors: one for the servers, one for the load")
        }
        self.effort = effort
        self.selection = selection
        accounts = effort.entries + effort.entries / 10
        scratch = try Scratch()
        progress("starting PostgreSQL and loading \(accounts) accounts")
        cluster = try Cluster.start(.init(settings: Self.settings, fsync: true))
        try loadTables()
    }

    func end() {
        scratch.end()
        cluster.end()
    }

    /// PostgreSQL as it ships, but for room: all tables in memory, no checkpoint in the middle of a measurement.
    private static let settings = [
        "shared_buffers": "1GB",
        "max_wal_size": "16GB",
        "checkpoint_timeout": "1h",
        "max_connections": "400",
        "autovacuum": "off",
        "wal_keep_size": "0",
        // Some cases stop the walsender, or Walden, for a while; the stream must not end for that.
        "wal_sender_timeout": "10min",
    ]

    private func loadTables() throws {
        let client = try cluster.primary.connect()
        client.timeout = .seconds(300)
        try client.query(
            """
            CREATE TABLE bench_account (id int PRIMARY KEY, balance int NOT NULL, filler text NOT NULL);
            INSERT INTO bench_account SELECT id, 0, repeat('x', 84) FROM generate_series(1, \(accounts)) AS id;
            CREATE TABLE bench_payload (id int PRIMARY KEY, payload text NOT NULL);
            INSERT INTO bench_payload SELECT id, repeat('x', 96) FROM generate_series(1, 20000) AS id;
            CREATE TABLE bench_stream (id int PRIMARY KEY, branch int, value int, filler text) WITH (fillfactor = 50);
            INSERT INTO bench_stream
                SELECT id, 1, 0, repeat('x', 84) FROM generate_series(1, \(effort.streamedRows)) AS id;
            """)
        try client.query("VACUUM (ANALYZE)")
        try client.query("CHECKPOINT")
    }

    /// Has `walden init` run in the database, once.
    func installWalden() throws {
        guard !hasWaldensObjects else { return }
        try WaldenStack.install(on: cluster.primary)
        hasWaldensObjects = true
    }

    // MARK: Processors

    /// The postmaster's number; its children hang below it.
    func postmaster() throws -> Int32 {
        let text = try cluster.primary.connect().scalar("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)")
        guard let text, let pid = Int32(text) else { throw TestKitError("postmaster.pid cannot be read") }
        return pid
    }

    /// Has PostgreSQL, as far as it runs and whatever it starts, use these processors only.
    func pinPostgres(_ processors: UInt64) throws {
        _ = bench_pin(try postmaster(), processors)
    }

    /// Starts something that uses these processors from its first instruction: programs size themselves by them.
    func onProcessors<Started>(_ processors: UInt64, _ start: () throws -> Started) rethrows -> Started {
        bench_pin_caller(processors)
        defer { bench_pin_caller(Self.allMask) }
        return try start()
    }

    // MARK: Programs

    /// A program built beside this one.
    static func program(_ name: String) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return path[..<(path.lastIndex(of: "/") ?? path.startIndex)] + "/\(name)"
    }
}

/// A line for the person who waits.
func progress(_ text: String) {
    print("… \(text)")
    fflush(nil)
}
