/// The lag of the last ten minutes.
public struct LagHistory: Hashable, Sendable {
    /// How often it is to be fed.
    public static let interval = Duration.seconds(5)
    private static let microseconds: Int64 = 600_000_000
    /// Rows beyond these are forgotten early: twenty nodes have room.
    static let rowLimit = 2_400

    /// Oldest first.
    public private(set) var rows: [LagHistoryRow] = []

    public init() {}

    public mutating func record(_ lag: [LagRow], at now: WallTime) {
        rows += lag.map { LagHistoryRow(at: now, lag: $0) }
        // A wall clock that was set back leaves rows of the future; they are forgotten, too.
        rows.removeAll { $0.at > now || now.microseconds - $0.at.microseconds > Self.microseconds }
        rows.removeFirst(max(0, rows.count - Self.rowLimit))
    }
}
