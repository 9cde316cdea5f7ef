import Testing
import WaldenTestKit

/// Scenario: drivers and object-relational mappers, as released on PyPI, with their default transactions. Risk: what
/// wraps every read in BEGIN and COMMIT never hits, or hits what its transaction must not see.
@Suite(.serialized) struct DriverTests {
    private static let stack = Result {
        try WaldenStack.start(
            .init(
                schema: """
                    CREATE TABLE items (id int PRIMARY KEY, name text NOT NULL);
                    INSERT INTO items VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four'), (5, 'five'),
                        (6, 'six'), (7, 'seven'), (8, 'eight')
                    """))
    }
    private static let folder = #filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.startIndex)

    /// The interpreter of an environment with the pinned libraries, made on first use.
    private static let python = Result {
        let made = try ProcessRunner.run(["\(folder)/../../scripts/python-env.sh"], timeout: .seconds(300))
        guard made.status.isSuccess else { throw TestKitError(made.transcript) }
        return String(made.output.split(separator: "\n").last ?? "")
    }

    @Test(arguments: ["psycopg", "psycopg2", "sqlalchemy", "django", "asyncpg"])
    func defaultTransactionsHit(driver: String) throws {
        let stack = try Self.stack.get()
        let status = "http://127.0.0.1:\(stack.walden.adminPort)/v1/status"
        let result = try ProcessRunner.run(
            [try Self.python.get(), "\(Self.folder)/Scripts/driver_\(driver).py", stack.walden.dsn(), status],
            timeout: .seconds(120))
        #expect(result.output == "ok\n", "\(driver): \(result.transcript)")
    }
}
