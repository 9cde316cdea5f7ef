import WaldenCore

/// One message of the output plugin pgoutput (protocol chapter, "Logical Replication Message Formats").
///
/// Decoding is pure syntax: nothing is looked up and no order is checked. `subtransaction` is the identifier that
/// stands before a message within a streamed chunk, nil elsewhere.
enum PgoutputMessage {
    case begin(Begin)
    case commit(Commit)
    case origin
    case relation(RelationDescription, subtransaction: UInt32?)
    case type(subtransaction: UInt32?)
    case row(RowMessage)
    case truncate(Truncate)
    case message(EmittedMessage)

    case streamStart(StreamStart)
    case streamStop
    case streamCommit(Commit, xid: UInt32)
    case streamAbort(StreamAbort)

    case beginPrepare(Prepare)
    case prepare(Prepare)
    case streamPrepare(Prepare)
    case commitPrepared(CommitPrepared)
    case rollbackPrepared(RollbackPrepared)

    /// - Parameters:
    ///   - offset: where the message begins; it ends with `bytes`.
    ///   - inChunk: whether a Stream Start was read and its Stream Stop not yet.
    static func decode(
        _ bytes: borrowing RawSpan, at offset: Int, version: PgoutputVersion, inChunk: Bool
    ) throws(DecodingError) -> PgoutputMessage {
        var reader = try MessageReader(in: bytes, at: offset)
        // Its tuples are still unread, so it has no end to check yet.
        if let row = try RowMessage.decode(&reader, in: bytes, inChunk: inChunk) { return .row(row) }
        let message: PgoutputMessage
        switch Tag(rawValue: reader.tag) {
        case .some(let tag) where tag.firstVersion > version: throw .unknownMessage(tag: reader.tag)
        case .some(let tag): message = try decode(tag, &reader, in: bytes, version: version, inChunk: inChunk)
        case nil: throw .unknownMessage(tag: reader.tag)
        }
        try reader.end(in: bytes)
        return message
    }

    private static func decode(
        _ tag: Tag, _ reader: inout MessageReader, in bytes: borrowing RawSpan, version: PgoutputVersion, inChunk: Bool
    ) throws(DecodingError) -> PgoutputMessage {
        switch tag {
        case .begin: .begin(try Begin(&reader, in: bytes))
        case .commit: .commit(try Commit(&reader, in: bytes))
        case .origin: try origin(&reader, in: bytes)
        case .relation: try relation(&reader, in: bytes, inChunk: inChunk)
        case .type: try type(&reader, in: bytes, inChunk: inChunk)
        case .truncate: .truncate(try Truncate(&reader, in: bytes, inChunk: inChunk))
        case .message: .message(try EmittedMessage(&reader, in: bytes, inChunk: inChunk))
        case .streamStart: .streamStart(try StreamStart(&reader, in: bytes))
        case .streamStop: .streamStop
        case .streamCommit: try streamCommit(&reader, in: bytes)
        case .streamAbort: .streamAbort(try StreamAbort(&reader, in: bytes, version: version))
        case .beginPrepare: .beginPrepare(try Prepare(&reader, in: bytes, hasFlags: false))
        case .prepare: .prepare(try Prepare(&reader, in: bytes, hasFlags: true))
        case .streamPrepare: .streamPrepare(try Prepare(&reader, in: bytes, hasFlags: true))
        case .commitPrepared: .commitPrepared(try CommitPrepared(&reader, in: bytes))
        case .rollbackPrepared: .rollbackPrepared(try RollbackPrepared(&reader, in: bytes))
        }
    }

    /// Where a change first came from; what it changes here is the same.
    private static func origin(
        _ reader: inout MessageReader, in bytes: borrowing RawSpan
    ) throws(DecodingError) -> PgoutputMessage {
        _ = try reader.lsn(in: bytes)
        _ = try reader.text(in: bytes)
        return .origin
    }

    private static func relation(
        _ reader: inout MessageReader, in bytes: borrowing RawSpan, inChunk: Bool
    ) throws(DecodingError) -> PgoutputMessage {
        let subtransaction = try reader.subtransaction(in: bytes, inChunk: inChunk)
        return .relation(try RelationDescription(&reader, in: bytes), subtransaction: subtransaction)
    }

    /// The name of a type that is not built in. The catalog knows it already.
    private static func type(
        _ reader: inout MessageReader, in bytes: borrowing RawSpan, inChunk: Bool
    ) throws(DecodingError) -> PgoutputMessage {
        let subtransaction = try reader.subtransaction(in: bytes, inChunk: inChunk)
        _ = try reader.integer(UInt32.self, in: bytes)
        _ = try reader.text(in: bytes)
        _ = try reader.text(in: bytes)
        return .type(subtransaction: subtransaction)
    }

    private static func streamCommit(
        _ reader: inout MessageReader, in bytes: borrowing RawSpan
    ) throws(DecodingError) -> PgoutputMessage {
        let xid = try reader.integer(UInt32.self, in: bytes)
        return .streamCommit(try Commit(&reader, in: bytes), xid: xid)
    }
}

/// The first byte of every message that is not of a row.
private enum Tag: UInt8 {
    case begin = 0x42  // B
    case commit = 0x43  // C
    case origin = 0x4F  // O
    case relation = 0x52  // R
    case type = 0x59  // Y
    case truncate = 0x54  // T
    case message = 0x4D  // M
    case streamStart = 0x53  // S
    case streamStop = 0x45  // E
    case streamCommit = 0x63  // c
    case streamAbort = 0x41  // A
    case beginPrepare = 0x62  // b
    case prepare = 0x50  // P
    case streamPrepare = 0x70  // p
    case commitPrepared = 0x4B  // K
    case rollbackPrepared = 0x72  // r

    var firstVersion: PgoutputVersion {
        switch self {
        case .begin, .commit, .origin, .relation, .type, .truncate, .message: .basic
        case .streamStart, .streamStop, .streamCommit, .streamAbort: .streaming
        case .beginPrepare, .prepare, .streamPrepare, .commitPrepared, .rollbackPrepared: .twoPhase
        }
    }
}

extension MessageReader {
    /// The identifier of the subtransaction, or of the top-level transaction, that a message within a chunk is of.
    mutating func subtransaction(in bytes: borrowing RawSpan, inChunk: Bool) throws(DecodingError) -> UInt32? {
        guard inChunk else { return nil }
        return try integer(UInt32.self, in: bytes)
    }
}
