/// What `walden-conformance` is asked to do.
public struct Options: Sendable {
    /// Only scripts and scenarios whose name, or one of whose case numbers, is among these; empty: all.
    public var only: [String] = []
    /// Only these modes; empty: all.
    public var modes: [String] = []
    /// Whether PostgreSQL's answers are printed.
    public var shows = false
    /// Whether PostgreSQL is asked once only, and no mode plays a script more often than it takes to be answered from memory.
    public var isBrief = false
    /// Whether only scripts are played, and no scenarios.
    public var skipsScenarios = false
    public var folder = Options.ownFolder

    public init() {}

    public static let usage = """
        usage: walden-conformance [--only NAME|NUMBER]… [--mode NAME]… [--show] [--brief] [--scripts-only] [--folder DIRECTORY]
        """

    /// Nil when the arguments cannot be understood.
    public init?(_ arguments: [String]) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            switch name {
            case "--show":
                shows = true
                continue
            case "--scripts-only":
                skipsScenarios = true
                continue
            case "--brief":
                isBrief = true
                continue
            default: break
            }
            guard let value = rest.popFirst() else { return nil }
            switch name {
            case "--only": only.append(value)
            case "--mode": modes.append(value)
            case "--folder": folder = value
            default: return nil
            }
        }
    }

    func wants(_ name: String, _ cases: [Int]) -> Bool {
        only.isEmpty
            || only.contains { pattern in
                Int(pattern).map { cases.contains($0) } ?? name.contains(pattern)
            }
    }

    /// `Tests/Conformance` of the tree that this was built from.
    private static var ownFolder: String {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(3)
        return parts.joined(separator: "/") + "/Tests/Conformance"
    }
}
