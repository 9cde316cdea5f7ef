/// The statements that Walden prepared on one server connection under its own names, and which were used least lately.
struct ServerStatements {
    /// By number: when it was last used, in uses of this server.
    private var uses: [UInt64: UInt64] = [:]
    private var clock: UInt64 = 0
    let limit: Int

    init(limit: Int) {
        self.limit = max(1, limit)
    }

    var count: Int { uses.count }

    /// Whether the server has it; if so, it counts as used.
    mutating func use(_ number: UInt64) -> Bool {
        guard uses[number] != nil else { return false }
        clock &+= 1
        uses[number] = clock
        return true
    }

    func contains(_ number: UInt64) -> Bool { uses[number] != nil }

    /// The server has answered its Parse.
    mutating func arrived(_ number: UInt64) {
        clock &+= 1
        uses[number] = clock
    }

    mutating func left(_ number: UInt64) {
        uses[number] = nil
    }

    mutating func removeAll() {
        uses.removeAll()
    }

    /// When there are too many: those that are to be closed, used longest ago first. An eighth more than needed, so
    /// that not every new statement costs another round trip.
    func surplus() -> [UInt64] {
        guard uses.count > limit else { return [] }
        let count = uses.count - limit + limit / 8
        return uses.sorted { $0.value < $1.value }.prefix(count).map(\.key)
    }

    /// The name that a statement has on servers.
    static func name(_ number: UInt64) -> String { "\(prefix)\(number)" }

    static let prefix = "walden_"
    /// Of names that clients use and that begin like Walden's; by itself, of no statement.
    static let foreignPrefix = "walden_0_"
}
