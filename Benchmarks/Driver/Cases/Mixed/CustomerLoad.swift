import WaldenTestKit

/// A mixed load on customers and their orders: reads by a customer's number, drawn with frequencies that fall with the
/// rank, and among them changes of one row, drawn likewise.
enum CustomerLoad: String, CaseIterable {
    case point, join

    /// YCSB's; the most frequent of 100,000 keys is then 8 % of all.
    static let exponent = 0.99
    static let ordersOfEach = 10

    var readStatement: String {
        switch self {
        case .point: "SELECT name, balance FROM bench_customer WHERE id = $1"
        case .join:
            """
            SELECT c.name, o.number, o.amount, o.status \
            FROM bench_customer c JOIN bench_order o ON o.customer_id = c.id \
            WHERE c.id = $1 ORDER BY o.number DESC LIMIT 5
            """
        }
    }

    /// Changes what the read of the same key shows.
    var writeStatement: String {
        switch self {
        case .point: "UPDATE bench_customer SET balance = balance + 1 WHERE id = $1"
        case .join:
            "UPDATE bench_order SET amount = amount + 1 WHERE customer_id = $1 AND number = \(Self.ordersOfEach)"
        }
    }

    private var expectedRows: Int { self == .point ? 1 : 5 }

    func load(_ mode: Load.QueryMode, connections: Int, writePercent: Int, on bench: Workbench) -> Load {
        var load = Load()
        load.mode = mode
        load.connections = connections
        load.keys = bench.effort.customers
        load.distribution = .zipf
        load.zipfExponent = Self.exponent
        load.writePercent = Double(writePercent)
        load.readStatement = readStatement
        load.writeStatement = writeStatement
        load.expectedRows = expectedRows
        load.seconds = bench.effort.seconds
        load.warmupSeconds = bench.effort.warmupSeconds
        // As in the cases of requests: all systems shall find a client that is awake.
        load.spins = connections > 1
        return load
    }

    // MARK: Tables

    static func createTables(on bench: Workbench) throws {
        let client = try bench.cluster.primary.connect()
        client.timeout = .seconds(300)
        guard try client.scalar("SELECT to_regclass('bench_order')") == nil else { return }
        progress("loading \(bench.effort.customers) customers with \(ordersOfEach) orders each")
        // Room on the pages, as in any table that is updated for long.
        try client.query(
            """
            CREATE TABLE bench_customer (id int PRIMARY KEY, name text NOT NULL, balance int NOT NULL, filler text)
                WITH (fillfactor = 80);
            INSERT INTO bench_customer
                SELECT id, 'customer ' || id, 0, repeat('x', 84) FROM generate_series(1, \(bench.effort.customers)) AS id;
            CREATE TABLE bench_order (
                customer_id int, number int, amount int NOT NULL, status text NOT NULL,
                PRIMARY KEY (customer_id, number)) WITH (fillfactor = 80);
            INSERT INTO bench_order
                SELECT id, number, id % 100 + number, 'shipped'
                FROM generate_series(1, \(bench.effort.customers)) AS id, generate_series(1, \(ordersOfEach)) AS number;
            """)
        try client.query("VACUUM (ANALYZE) bench_customer, bench_order")
    }

    /// Changes what that many of each hundred reads show, past the system that is measured, in small transactions.
    func change(percent: Int, _ writer: SQLClient, on bench: Workbench) throws {
        let change =
            switch self {
            case .point: "UPDATE bench_customer SET balance = balance + 1 WHERE id"
            case .join:
                "UPDATE bench_order SET amount = amount + 1 WHERE number = \(Self.ordersOfEach) AND customer_id"
            }
        writer.timeout = .seconds(300)
        try writer.query("SET synchronous_commit = off")
        try writer.query(
            """
            DO $$ BEGIN
                FOR lowest IN 1..\(bench.effort.customers) BY 100 LOOP
                    \(change) BETWEEN lowest AND lowest + \(percent - 1);
                    COMMIT;
                END LOOP;
            END $$
            """)
    }
}
