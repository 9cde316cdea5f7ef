import WaldenTestKit

/// A case that no list of messages tells: it needs faults, many clients, memory figures or a configuration of its own.
struct Scenario: Sendable {
    let name: String
    let cases: [Int]
    let run: @Sendable (Stage) throws -> Void

    init(_ name: String, _ cases: [Int], _ run: @escaping @Sendable (Stage) throws -> Void) {
        self.name = name
        self.cases = cases
        self.run = run
    }

    static let all = flow + faults + encryption + authentication + pooled + servers
}

/// Throws with the reason unless the condition holds.
func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
    guard condition else { throw TestKitError(reason()) }
}

/// Throws unless both are equal.
func require<Value: Equatable>(_ value: Value, is expected: Value, _ what: String) throws {
    guard value == expected else { throw TestKitError("\(what): \(value), expected \(expected)") }
}

/// The error that the body has to throw.
func refusal(_ what: String, _ body: () throws -> Void) throws -> SQLError {
    do {
        try body()
    } catch let error as SQLError {
        return error
    }
    throw TestKitError("\(what) was not refused")
}

extension Stage {
    /// A Walden of its own before this cluster, or before another address of its primary.
    func walden(_ flags: [String] = [], primary: String? = nil) throws -> WaldenProcess {
        var configuration = WaldenProcess.Configuration(primary: primary ?? cluster.primary.dsn())
        configuration.flags = flags
        let walden = try WaldenProcess.start(configuration)
        try walden.waitUntilReady()
        return walden
    }

    /// Waits until a statement whose text has the marker waits for this.
    func waitUntil(_ marker: String, waitsFor event: String) throws {
        try eventually("\(marker) waits for \(event)") {
            let sql = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%\(marker)%' AND wait_event = '\(event)'"
            return try admin.scalar(sql) == "1"
        }
    }
}
