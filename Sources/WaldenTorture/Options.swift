/// What `walden-torture` is asked to do.
public struct Options: Sendable {
    public var seconds = 60
    public var seed = UInt64.random(in: 0..<1_000_000_000)
    /// The levels that sessions ask for. Fewer of them give each more sessions.
    var levels = Level.allCases
    /// Whether the primary is ended at once and started again now and then.
    public var crashes = false
    /// Whether nothing is disturbed: only the sessions work.
    public var isCalm = false
    public var rowsPerTable = 60
    public var maxStalenessMilliseconds = 400

    public init() {}

    public static let usage = """
        usage: walden-torture [--seconds N] [--seed N] [--levels bounded,session,strict] [--crashes] [--calm]
                              [--rows N] [--max-staleness MILLISECONDS]
        """

    /// Nil when the arguments cannot be understood.
    public init?(_ arguments: [String]) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            if name == "--crashes" || name == "--calm" {
                if name == "--calm" { isCalm = true } else { crashes = true }
                continue
            }
            guard let text = rest.popFirst() else { return nil }
            switch name {
            case "--levels":
                levels = text.split(separator: ",").compactMap { Level(rawValue: String($0)) }
                guard !levels.isEmpty else { return nil }
            case "--seed":
                guard let value = UInt64(text) else { return nil }
                seed = value
            default:
                guard let value = Int(text), let path = Self.numbers[name], path.range.contains(value) else {
                    return nil
                }
                self[keyPath: path.key] = value
            }
        }
        rowsPerTable -= rowsPerTable % Layout.blockSize
    }

    private static var numbers: [String: (key: WritableKeyPath<Options, Int>, range: ClosedRange<Int>)] {
        [
            "--seconds": (\.seconds, 1...1_000_000), "--rows": (\.rowsPerTable, 10...10_000),
            "--max-staleness": (\.maxStalenessMilliseconds, 10...60_000),
        ]
    }

    /// Direct sessions; per level two that read only, one for each protocol, and one that writes as well.
    var roles: [Role] {
        var roles = [
            Role(isDirect: true, writes: 60), Role(isDirect: true, isPrepared: true, writes: 60),
        ]
        for index in 0..<3 {
            let level = levels[index % levels.count]
            roles.append(Role(level: level))
            roles.append(Role(level: level, isPrepared: true))
            roles.append(Role(level: level, isPrepared: index % 2 == 1, writes: 25))
        }
        return roles
    }
}
