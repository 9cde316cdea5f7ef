import WaldenTestKit

/// A case that no list of messages tells: it needs faults, many clients, memory figures or a configuration of its own.
struct Scenario: Sendable {
    let name: String
    let cases: [Int]
    let run: @Sendable (Stage) throws -> Verdict

    init(_ name: String, _ cases: [Int], _ run: @escaping @Sendable (Stage) throws -> Void) {
        self.name = name
        self.cases = cases
        self.run = {
            try run($0)
            return .passed
        }
    }

    static let all: [Scenario] = []
}

/// Throws with the reason unless the condition holds.
func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
    guard condition else { throw TestKitError(reason()) }
}
