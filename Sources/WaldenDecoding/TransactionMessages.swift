import WaldenCore

/// 'B': the rows that follow are of one transaction, which committed.
struct Begin: Hashable {
    /// Where its commit record begins.
    let finalLSN: LSN
    /// Microseconds since 2000-01-01 UTC, as all times here.
    let commitTime: Int64
    let xid: UInt32

    init(_ reader: inout MessageReader, in bytes: borrowing RawSpan) throws(DecodingError) {
        finalLSN = try reader.lsn(in: bytes)
        commitTime = try reader.integer(in: bytes)
        xid = try reader.integer(in: bytes)
    }
}

/// 'C', and 'c' behind its identifier. The flags are unused and may be anything.
struct Commit: Hashable {
    let commitLSN: LSN
    let endLSN: LSN
    let commitTime: Int64

    init(_ reader: inout MessageReader, in bytes: borrowing RawSpan) throws(DecodingError) {
        _ = try reader.byte(in: bytes)
        commitLSN = try reader.lsn(in: bytes)
        endLSN = try reader.lsn(in: bytes)
        commitTime = try reader.integer(in: bytes)
    }
}

/// 'S': messages of an unfinished transaction follow, up to 'E'.
struct StreamStart: Hashable {
    let xid: UInt32
    let isFirstChunk: Bool

    init(_ reader: inout MessageReader, in bytes: borrowing RawSpan) throws(DecodingError) {
        xid = try reader.integer(in: bytes)
        isFirstChunk = try reader.byte(in: bytes) != 0
    }
}

/// 'A': a subtransaction of a streamed transaction aborted; the whole of it, when both identifiers are equal.
struct StreamAbort: Hashable {
    let xid: UInt32
    let subtransaction: UInt32

    /// Position and time stand behind only when the version and the `streaming = parallel` option say so; the length
    /// tells.
    init(
        _ reader: inout MessageReader, in bytes: borrowing RawSpan, version: PgoutputVersion
    ) throws(DecodingError) {
        xid = try reader.integer(in: bytes)
        subtransaction = try reader.integer(in: bytes)
        if version >= .parallelStreaming, reader.offset < bytes.byteCount {
            _ = try reader.lsn(in: bytes)
            _ = try reader.integer(Int64.self, in: bytes)
        }
    }
}

/// What names a prepared transaction. Another may bear the same `gid` once the first is finished.
struct PreparedID: Hashable {
    let xid: UInt32
    let gid: String
}

/// 'b', and behind their flags 'P' and 'p'.
struct Prepare: Hashable {
    let prepareLSN: LSN
    let endLSN: LSN
    let id: PreparedID

    init(_ reader: inout MessageReader, in bytes: borrowing RawSpan, hasFlags: Bool) throws(DecodingError) {
        if hasFlags { _ = try reader.byte(in: bytes) }
        prepareLSN = try reader.lsn(in: bytes)
        endLSN = try reader.lsn(in: bytes)
        _ = try reader.integer(Int64.self, in: bytes)
        id = try reader.preparedID(in: bytes)
    }
}

/// 'K'.
struct CommitPrepared: Hashable {
    let commit: Commit
    let id: PreparedID

    init(_ reader: inout MessageReader, in bytes: borrowing RawSpan) throws(DecodingError) {
        commit = try Commit(&reader, in: bytes)
        id = try reader.preparedID(in: bytes)
    }
}

/// 'r'.
struct RollbackPrepared: Hashable {
    let prepareEndLSN: LSN
    let rollbackEndLSN: LSN
    let id: PreparedID

    init(_ reader: inout MessageReader, in bytes: borrowing RawSpan) throws(DecodingError) {
        _ = try reader.byte(in: bytes)
        prepareEndLSN = try reader.lsn(in: bytes)
        rollbackEndLSN = try reader.lsn(in: bytes)
        _ = try reader.integer(Int64.self, in: bytes)
        _ = try reader.integer(Int64.self, in: bytes)
        id = try reader.preparedID(in: bytes)
    }
}

extension MessageReader {
    fileprivate mutating func preparedID(in bytes: borrowing RawSpan) throws(DecodingError) -> PreparedID {
        PreparedID(xid: try integer(in: bytes), gid: try text(in: bytes))
    }
}
