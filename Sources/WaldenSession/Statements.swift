import WaldenCore
import WaldenWire

/// A statement that the client prepared by protocol, kept as its Parse message.
final class PreparedStatement {
    let parseMessage: [UInt8]
    let name: [UInt8]
    /// Where the text and the parameter types' count and OIDs stand in `parseMessage`.
    let text: Range<Int>
    let types: Range<Int>
    /// Whether the server has it. A statement whose Parse was answered along with a hit is *deferred*: it exists for
    /// the client alone until something needs it on the server.
    var isOnServer: Bool
    /// When its text is BEGIN, COMMIT or ROLLBACK.
    let command: TransactionCommand?
    /// What the client was told of it when it was parsed, or could have asked for then; nil: not known.
    var shape: StatementShape? {
        get {
            if known == nil, let portal { known = try? StatementShape(portal: portal) }
            return known
        }
        set {
            known = newValue
            portal = nil
        }
    }
    private var known: StatementShape?
    /// The body of the RowDescription that its portal was described with, as long as nothing needs to know more.
    var portal: [UInt8]?
    /// Under what it was parsed last.
    var origin: StatementOrigin?
    /// Its number on pooled servers as it was parsed, once it has one.
    var number: StatementNumber?
    /// The number of the statement that it has become where it was parsed again later.
    var standIn: StatementNumber?
    /// What comparing it has just shown, where SQL may name it.
    var verdict: StatementVerdict?
    /// What stands in its place there.
    var obstacle: StatementObstacle?

    init(parseMessage: [UInt8], name: [UInt8], text: Range<Int>, types: Range<Int>, isOnServer: Bool) {
        self.parseMessage = parseMessage
        self.name = name
        self.text = text
        self.types = types
        self.isOnServer = isOnServer
        command = TransactionCommand(text, in: parseMessage.span.bytes)
    }

    /// Text and parameter types as the message has them.
    var definition: [UInt8] { Array(parseMessage[text.lowerBound...]) }

    /// The type that Parse gave to parameter `index`; unspecified when it gave none.
    func parameterType(at index: Int) -> TypeID {
        let message = parseMessage
        let bytes = message.span.bytes
        var cursor = ByteCursor(at: types.lowerBound)
        guard let count = try? cursor.read(Int16.self, in: bytes), index < Int(count) else { return .unspecified }
        var entry = ByteCursor(at: types.lowerBound + 2 + 4 * index)
        guard let oid = try? entry.read(UInt32.self, in: bytes) else { return .unspecified }
        return TypeID(oid)
    }
}

/// The statements that one client prepared, by name, as far as Walden saw them being prepared.
///
/// Names missing here may exist on the server (SQL `PREPARE`, texts too long to hold); what uses them is forwarded.
struct StatementTable {
    private var named: [[UInt8]: PreparedStatement] = [:]
    private var unnamed: PreparedStatement?
    /// The last one found: most clients execute the same statement many times in a row.
    private var recent: PreparedStatement?
    private(set) var deferredCount = 0
    let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    var isFull: Bool { named.count >= limit }

    mutating func find(_ name: Range<Int>, in bytes: borrowing RawSpan) -> PreparedStatement? {
        if name.isEmpty { return unnamed }
        if let recent, bytes.holds(recent.name, at: name) { return recent }
        recent = named[bytes.copy(name)]
        return recent
    }

    func contains(_ name: Range<Int>, in bytes: borrowing RawSpan) -> Bool {
        name.isEmpty ? false : named[bytes.copy(name)] != nil
    }

    /// Adds `statement` or replaces the one of its name. A named one beyond the limit is not kept.
    mutating func define(_ statement: PreparedStatement) {
        if statement.name.isEmpty {
            unnamed = statement
        } else if named[statement.name] != nil || !isFull {
            forget(statement.name)
            named[statement.name] = statement
            if !statement.isOnServer { deferredCount += 1 }
        }
    }

    mutating func forget(_ name: [UInt8]) {
        if name.isEmpty {
            unnamed = nil
        } else if let old = named.removeValue(forKey: name) {
            if !old.isOnServer { deferredCount -= 1 }
            recent = nil
        }
    }

    mutating func forgetUnnamed() {
        unnamed = nil
    }

    /// The Parse of an unnamed statement has failed.
    mutating func forgetUnnamed(_ statement: PreparedStatement) {
        if unnamed === statement { unnamed = nil }
    }

    /// After DEALLOCATE or DISCARD: which ones are left, only the server knows.
    mutating func forgetAll() {
        named.removeAll()
        unnamed = nil
        recent = nil
        deferredCount = 0
    }

    /// As `forgetAll()`, but for the unnamed one.
    mutating func forgetNamed() {
        let kept = unnamed
        forgetAll()
        unnamed = kept
    }

    /// Forgets named statements of other names, whether or not the server should have had them.
    mutating func keep(only names: Set<[UInt8]>) {
        for (name, statement) in named
        where !names.contains(name) && (statement.isOnServer || statement.obstacle?.isPlaced ?? false) {
            forget(name)
        }
    }

    /// No server has the named statements under these names any more.
    mutating func leftServer() {
        for statement in named.values {
            statement.isOnServer = false
            statement.obstacle = nil
        }
        deferredCount = named.count
    }

    /// The server has answered the Parse that Walden sent for a deferred statement.
    mutating func reachedServer(_ statement: PreparedStatement) {
        guard !statement.isOnServer else { return }
        statement.isOnServer = true
        if !statement.name.isEmpty, named[statement.name] === statement { deferredCount -= 1 }
    }

    var all: [PreparedStatement] { Array(named.values) }

    var deferred: [PreparedStatement] {
        deferredCount == 0 ? [] : named.values.filter { !$0.isOnServer }
    }
}

extension RawSpan {
    /// Whether the bytes in `range` are `expected`.
    func holds(_ expected: [UInt8], at range: Range<Int>) -> Bool {
        guard range.count == expected.count else { return false }
        let wanted = expected.span.bytes
        for index in 0..<wanted.byteCount
        where unsafeLoad(fromByteOffset: range.lowerBound + index, as: UInt8.self)
            != wanted.unsafeLoad(fromByteOffset: index, as: UInt8.self)
        {
            return false
        }
        return true
    }
}
