/// What a text draws on that a server process keeps for its session alone and no catalog shows.
public struct SessionDraws: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// It reads what the session last drew from a sequence: `currval`, `lastval`.
    public static let sequences = SessionDraws(rawValue: 1)
    /// It seeds the session's random numbers: `setseed`.
    public static let randomSeed = SessionDraws(rawValue: 2)

    /// By the functions named in `statements`; what functions and triggers call in their turn is not seen.
    public init(of statements: [ParsedStatement]) {
        self = []
        for function in statements.flatMap(\.functions) {
            switch function.name {
            case "currval", "lastval": insert(.sequences)
            case "setseed": insert(.randomSeed)
            default: break
            }
        }
    }
}
