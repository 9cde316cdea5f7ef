import WaldenCore

/// Writes what a walsender sends: the inverse of the decoder, for tests alone. Every function gives the bytes of one
/// pgoutput message; `frame` wraps one into the payload of a CopyData message.
enum MessageEncoder {
    /// One column's value in a tuple.
    enum Value: Hashable {
        case null
        case unchangedToast
        case text([UInt8])
        case binary([UInt8])

        static func text(_ text: String) -> Value { .text(Array(text.utf8)) }
    }

    struct Column {
        var name: String
        var isKey = false
        var type: UInt32 = 25
        var modifier: Int32 = -1
    }

    static func frame(_ message: [UInt8], at lsn: UInt64 = 1, clock: Int64 = 0) -> [UInt8] {
        bytes("w") + number(lsn) + number(lsn) + number(clock) + message
    }

    static func keepalive(_ end: UInt64, clock: Int64 = 0, replyRequested: Bool = false) -> [UInt8] {
        bytes("k") + number(end) + number(clock) + [replyRequested ? 1 : 0]
    }

    // MARK: Transactions

    static func begin(xid: UInt32, final: UInt64, time: Int64 = 0) -> [UInt8] {
        bytes("B") + number(final) + number(time) + number(xid)
    }

    static func commit(at lsn: UInt64, end: UInt64, time: Int64 = 0) -> [UInt8] {
        bytes("C") + commitFields(lsn, end, time)
    }

    static func streamStart(xid: UInt32, first: Bool) -> [UInt8] { bytes("S") + number(xid) + [first ? 1 : 0] }

    static func streamStop() -> [UInt8] { bytes("E") }

    static func streamCommit(xid: UInt32, at lsn: UInt64, end: UInt64, time: Int64 = 0) -> [UInt8] {
        bytes("c") + number(xid) + commitFields(lsn, end, time)
    }

    static func streamAbort(xid: UInt32, subtransaction: UInt32, at lsn: UInt64? = nil) -> [UInt8] {
        let position = lsn.map { number($0) + number(Int64(0)) } ?? []
        return bytes("A") + number(xid) + number(subtransaction) + position
    }

    static func beginPrepare(xid: UInt32, gid: String, at lsn: UInt64, end: UInt64, time: Int64 = 0) -> [UInt8] {
        bytes("b") + prepareFields(xid, gid, lsn, end, time)
    }

    static func prepare(xid: UInt32, gid: String, at lsn: UInt64, end: UInt64, time: Int64 = 0) -> [UInt8] {
        bytes("P") + [0] + prepareFields(xid, gid, lsn, end, time)
    }

    static func streamPrepare(xid: UInt32, gid: String, at lsn: UInt64, end: UInt64, time: Int64 = 0) -> [UInt8] {
        bytes("p") + [0] + prepareFields(xid, gid, lsn, end, time)
    }

    static func commitPrepared(xid: UInt32, gid: String, at lsn: UInt64, end: UInt64, time: Int64 = 0) -> [UInt8] {
        bytes("K") + commitFields(lsn, end, time) + number(xid) + string(gid)
    }

    static func rollbackPrepared(xid: UInt32, gid: String, prepareEnd: UInt64, end: UInt64) -> [UInt8] {
        bytes("r") + [0] + number(prepareEnd) + number(end) + number(Int64(0)) + number(Int64(0)) + number(xid)
            + string(gid)
    }

    // MARK: Contents; `xid` stands in front within a chunk

    static func origin(_ name: String, at lsn: UInt64 = 0) -> [UInt8] { bytes("O") + number(lsn) + string(name) }

    static func type(_ id: UInt32, _ name: String, namespace: String = "public", xid: UInt32? = nil) -> [UInt8] {
        bytes("Y") + prefix(xid) + number(id) + string(namespace) + string(name)
    }

    static func relation(
        _ id: UInt32, _ name: String, _ columns: [Column], namespace: String = "public", identity: String = "d",
        xid: UInt32? = nil
    ) -> [UInt8] {
        columns.reduce(
            bytes("R") + prefix(xid) + number(id) + string(namespace) + string(name) + bytes(identity)
                + number(Int16(columns.count))
        ) { message, column in
            message + [column.isKey ? 1 : 0] + string(column.name) + number(column.type) + number(column.modifier)
        }
    }

    static func insert(_ id: UInt32, _ new: [Value], xid: UInt32? = nil) -> [UInt8] {
        bytes("I") + prefix(xid) + number(id) + bytes("N") + tuple(new)
    }

    static func update(
        _ id: UInt32, key: [Value]? = nil, old: [Value]? = nil, new: [Value], xid: UInt32? = nil
    ) -> [UInt8] {
        bytes("U") + prefix(xid) + number(id) + oldTuple(key: key, old: old) + bytes("N") + tuple(new)
    }

    static func delete(_ id: UInt32, key: [Value]? = nil, old: [Value]? = nil, xid: UInt32? = nil) -> [UInt8] {
        bytes("D") + prefix(xid) + number(id) + oldTuple(key: key, old: old)
    }

    static func truncate(_ ids: [UInt32], options: UInt8 = 0, xid: UInt32? = nil) -> [UInt8] {
        bytes("T") + prefix(xid) + number(Int32(ids.count)) + [options] + ids.flatMap { number($0) }
    }

    static func message(
        _ prefixText: String, _ content: [UInt8], transactional: Bool = true, xid: UInt32? = nil
    ) -> [UInt8] {
        bytes("M") + prefix(xid) + [transactional ? 1 : 0] + number(UInt64(0)) + string(prefixText)
            + number(Int32(content.count)) + content
    }

    // MARK: Parts

    static func tuple(_ values: [Value]) -> [UInt8] {
        values.reduce(number(Int16(values.count))) { tuple, value in
            switch value {
            case .null: tuple + bytes("n")
            case .unchangedToast: tuple + bytes("u")
            case .text(let content): tuple + bytes("t") + number(Int32(content.count)) + content
            case .binary(let content): tuple + bytes("b") + number(Int32(content.count)) + content
            }
        }
    }

    static func number<Integer: FixedWidthInteger>(_ value: Integer) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    static func string(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

    static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func prefix(_ xid: UInt32?) -> [UInt8] { xid.map { number($0) } ?? [] }

    private static func commitFields(_ lsn: UInt64, _ end: UInt64, _ time: Int64) -> [UInt8] {
        [0] + number(lsn) + number(end) + number(time)
    }

    private static func prepareFields(
        _ xid: UInt32, _ gid: String, _ lsn: UInt64, _ end: UInt64, _ time: Int64
    ) -> [UInt8] {
        number(lsn) + number(end) + number(time) + number(xid) + string(gid)
    }

    private static func oldTuple(key: [Value]?, old: [Value]?) -> [UInt8] {
        if let key { return bytes("K") + tuple(key) }
        if let old { return bytes("O") + tuple(old) }
        return []
    }
}
