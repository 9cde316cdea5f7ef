/// The statements that Walden prepared on one server connection, and which were used least lately.
///
/// Each is parsed under a name of its own, `walden_<serial>`, that is used once; what it is, its number tells, once the
/// server has described it.
struct ServerStatements {
    private struct Entry {
        let serial: UInt64
        var usedAt: UInt64
    }

    /// By number.
    private var entries: [UInt64: Entry] = [:]
    /// Parsed, but not described yet.
    private var arriving: Set<UInt64> = []
    /// Statements that nothing needs any more.
    private var spare: Set<UInt64> = []
    private var clock: UInt64 = 0
    let limit: Int

    init(limit: Int) {
        self.limit = max(1, limit)
    }

    var count: Int { entries.count + arriving.count + spare.count }

    /// The serial of the statement of that number, which counts as used; nil: the server does not have it.
    mutating func use(_ number: UInt64) -> UInt64? {
        guard let serial = entries[number]?.serial else { return nil }
        clock &+= 1
        entries[number]?.usedAt = clock
        return serial
    }

    /// The server has answered its Parse.
    mutating func parsed(_ serial: UInt64) {
        arriving.insert(serial)
    }

    /// It is the statement of that number. One that was there is needed no more.
    mutating func identified(_ serial: UInt64, as number: UInt64) {
        guard arriving.remove(serial) != nil else { return }
        if let old = entries[number] { spare.insert(old.serial) }
        clock &+= 1
        entries[number] = Entry(serial: serial, usedAt: clock)
    }

    /// It is nothing that anyone can use.
    mutating func unidentified(_ serial: UInt64) {
        if arriving.remove(serial) != nil { spare.insert(serial) }
    }

    /// The server has it no more.
    mutating func left(_ serial: UInt64) {
        arriving.remove(serial)
        spare.remove(serial)
        if let number = number(of: serial) { entries[number] = nil }
    }

    mutating func removeAll() {
        entries.removeAll()
        arriving.removeAll()
        spare.removeAll()
    }

    func number(of serial: UInt64) -> UInt64? {
        entries.first { $0.value.serial == serial }?.key
    }

    /// All, in order.
    var serials: [UInt64] { (entries.values.map(\.serial) + arriving + spare).sorted() }

    /// Those that nothing needs, in order.
    var spareSerials: [UInt64] { spare.isEmpty ? [] : spare.sorted() }

    /// When there are too many: those that are to be closed, the ones that nothing needs and those used longest ago. An
    /// eighth more than needed, so that not every new statement costs another round trip.
    func surplus() -> [UInt64] {
        guard count > limit else { return [] }
        let others = max(0, count - limit + limit / 8 - spare.count)
        return spareSerials + entries.values.sorted { $0.usedAt < $1.usedAt }.prefix(others).map(\.serial)
    }

    /// The name that a statement has on servers.
    static func name(_ serial: UInt64) -> String { "\(prefix)\(serial)" }

    static let prefix = "walden_"
    /// Of names that clients use and that begin like Walden's; by itself, of no statement.
    static let foreignPrefix = "walden_0_"
}
