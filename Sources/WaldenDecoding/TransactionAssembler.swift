import WaldenCore

/// Puts messages together into committed transactions.
///
///     idle ── Begin ──────────▶ transaction ── Commit ──▶ idle, a transaction comes out
///     idle ── Begin Prepare ──▶ preparing ──── Prepare ─▶ idle, kept until Commit Prepared or Rollback Prepared
///     idle ── Stream Start ───▶ chunk ──────── Stream Stop ▶ idle, kept until Stream Commit, Abort or Prepare
///
/// Rows, truncations and messages may stand in the three other states only. A message that the state forbids, or that
/// speaks of something unknown, is an error: the caller flushes and begins anew, rather than go on with a guess. The
/// single exception is the end without effect (Stream Abort, Rollback Prepared) of an unknown transaction: nothing is
/// held of it, so nothing is to be dropped.
///
/// The assembler knows neither frames nor time and never applies anything.
struct TransactionAssembler: Sendable {
    private enum Phase: Hashable {
        case idle
        /// Until the Commit that names the same position.
        case transaction(finalLSN: LSN)
        /// Until the Prepare that says the same.
        case preparing(Prepare)
        case chunk
    }

    private struct StreamedTransaction: Sendable {
        var buffer: TransactionBuffer
        var relations: RelationCache.Overlay = [:]
    }

    private(set) var counters = StreamCounters()
    /// The furthest position up to which everything was handed over.
    private(set) var position = LSN.zero

    private let limits: StreamLimits
    private let messagePrefix: [UInt8]?
    private var phase = Phase.idle
    /// What the phase is about; an empty one when idle.
    private var open = StreamedTransaction(buffer: TransactionBuffer(xid: 0))
    private var streamed: [UInt32: StreamedTransaction] = [:]
    private var prepared: [PreparedID: TransactionBuffer] = [:]
    /// The cost of `streamed` and `prepared`.
    private var shelvedBytes = 0
    private var relations: RelationCache
    /// The relation of the last row, while it is certain to be right for the next.
    private var recentRelation: RelationDescription?

    init(limits: StreamLimits, messagePrefix: String?) {
        self.limits = limits
        self.messagePrefix = messagePrefix.map { Array($0.utf8) }
        relations = RelationCache(maxBytes: limits.maxCatalogBytes)
    }

    var isInChunk: Bool { phase == .chunk }

    /// Takes the next message, decoded from `bytes`.
    mutating func receive(
        _ message: PgoutputMessage, in bytes: borrowing RawSpan
    ) throws(DecodingError) -> StreamEvent? {
        switch message {
        case .row(let row): try receive(row, in: bytes)
        case .truncate(let truncate): try receive(truncate, in: bytes)
        case .message(let message): try receive(message, in: bytes)
        case .relation(let relation, _): try receive(relation)
        case .type, .origin: break
        case .begin(let begin): try receive(begin)
        case .commit(let commit): return try receive(commit)
        case .streamStart(let start): try receive(start)
        case .streamStop: try receiveStreamStop()
        case .streamCommit(let commit, let xid): return try receiveStreamCommit(commit, xid: xid)
        case .streamAbort(let abort): try receive(abort)
        case .beginPrepare(let prepare): try receiveBegin(prepare)
        case .prepare(let prepare): return try receive(prepare)
        case .streamPrepare(let prepare): return try receiveStreamPrepare(prepare)
        case .commitPrepared(let commit): return try receive(commit)
        case .rollbackPrepared(let rollback): return try receive(rollback)
        }
        return nil
    }

    /// The walsender has sent everything before `end`. Within a transaction that is up to its commit record at most,
    /// as the transaction itself is not handed over yet.
    mutating func receiveKeepalive(end: LSN, replyRequested: Bool) -> StreamEvent {
        switch phase {
        case .transaction(let finalLSN): position = max(position, min(end, finalLSN))
        case .idle, .preparing, .chunk: position = max(position, end)
        }
        return .keepalive(end: position, replyRequested: replyRequested)
    }
}

// MARK: - Contents

extension TransactionAssembler {
    private mutating func receive(_ row: RowMessage, in bytes: borrowing RawSpan) throws(DecodingError) {
        guard phase != .idle else { throw .misplaced(tag: row.tag) }
        let relation = try find(row.relation)
        counters.rowChanges += 1
        let slot = open.buffer.slot(of: relation.id)
        if !open.buffer.rows.isWhole(slot) {
            let cost = row.byteCost(of: relation, in: bytes)
            try makeRoom(for: RowStore.byteCost(ofChange: cost), slot: slot)
            if !open.buffer.rows.isWhole(slot) {
                let change = try row.change(of: relation, in: bytes)
                open.buffer.append(change, slot: slot, subtransaction: row.subtransaction, byteCost: cost)
                return
            }
        }
        try row.check(of: relation, in: bytes)
        open.buffer.fold()
        counters.foldedRowChanges += 1
    }

    private mutating func receive(_ truncate: Truncate, in bytes: borrowing RawSpan) throws(DecodingError) {
        guard phase != .idle else { throw .misplaced(tag: UInt8(ascii: "T")) }
        for index in 0..<truncate.relationCount {
            let relation = try truncate.relation(index, in: bytes)
            open.buffer.truncate(relation, subtransaction: truncate.subtransaction)
            try makeRoom(for: 0)
        }
    }

    /// A non-transactional message is ignored: it arrives ahead of the transaction that wrote it, and also when that
    /// aborts, so it says nothing about the state at any position.
    private mutating func receive(_ message: EmittedMessage, in bytes: borrowing RawSpan) throws(DecodingError) {
        guard message.isTransactional, wants(message, in: bytes) else {
            counters.ignoredMessages += 1
            return
        }
        guard phase != .idle else { throw .misplaced(tag: UInt8(ascii: "M")) }
        let prefix = String(decoding: bytes.copy(message.prefix), as: UTF8.self)
        let kept = LogicalMessage(prefix: prefix, content: bytes.copy(message.content))
        try makeRoom(for: TransactionBuffer.byteCost(of: kept))
        open.buffer.append(kept, subtransaction: message.subtransaction)
    }

    private func wants(_ message: EmittedMessage, in bytes: borrowing RawSpan) -> Bool {
        guard let messagePrefix else { return true }
        guard message.prefix.count == messagePrefix.count else { return false }
        return bytes.copy(message.prefix) == messagePrefix
    }

    private mutating func receive(_ relation: RelationDescription) throws(DecodingError) {
        recentRelation = nil
        if phase == .chunk {
            try relations.describe(relation, in: &open.relations)
        } else {
            try relations.describe(relation)
        }
    }

    private mutating func find(_ id: RelationID) throws(DecodingError) -> RelationDescription {
        if let recentRelation, recentRelation.id == id { return recentRelation }
        let found = phase == .chunk ? open.relations[id]?.relation : relations[id]
        guard let found else { throw .unknownRelation(id) }
        recentRelation = found
        return found
    }
}

// MARK: - Transactions handed over at their commit

extension TransactionAssembler {
    private mutating func receive(_ begin: Begin) throws(DecodingError) {
        guard phase == .idle else { throw .misplaced(tag: UInt8(ascii: "B")) }
        guard begin.finalLSN >= position else { throw .outOfOrder(position: position, found: begin.finalLSN) }
        phase = .transaction(finalLSN: begin.finalLSN)
        open.buffer = TransactionBuffer(xid: begin.xid)
    }

    private mutating func receive(_ commit: Commit) throws(DecodingError) -> StreamEvent {
        guard case .transaction(let finalLSN) = phase else { throw .misplaced(tag: UInt8(ascii: "C")) }
        guard commit.commitLSN == finalLSN else {
            throw .boundaryMismatch(announced: finalLSN, found: commit.commitLSN)
        }
        return try finish(close().buffer, commit)
    }

    /// Ends the phase and gives what it was about.
    private mutating func close() -> StreamedTransaction {
        phase = .idle
        recentRelation = nil
        let closed = open
        open = StreamedTransaction(buffer: TransactionBuffer(xid: 0))
        return closed
    }

    private mutating func finish(
        _ buffer: consuming TransactionBuffer, _ commit: Commit
    ) throws(DecodingError) -> StreamEvent {
        guard commit.endLSN > position, commit.endLSN > commit.commitLSN else {
            throw .outOfOrder(position: max(position, commit.commitLSN), found: commit.endLSN)
        }
        position = commit.endLSN
        let transaction = buffer.committed(commit)
        if transaction.changes.isEmpty, transaction.wholeRelations.isEmpty, transaction.messages.isEmpty {
            return .progress(position)
        }
        counters.transactions += 1
        return .transaction(transaction)
    }
}

// MARK: - Transactions streamed while they run

extension TransactionAssembler {
    private mutating func receive(_ start: StreamStart) throws(DecodingError) {
        guard phase == .idle else { throw .misplaced(tag: UInt8(ascii: "S")) }
        let known = streamed.removeValue(forKey: start.xid)
        if start.isFirstChunk {
            guard known == nil else { throw .repeatedTransaction(xid: start.xid) }
            guard streamed.count < limits.maxStreamedTransactions else { throw .limitExceeded(.streamedTransactions) }
            open = StreamedTransaction(buffer: TransactionBuffer(xid: start.xid))
        } else {
            guard let known else { throw .unknownTransaction(xid: start.xid) }
            shelvedBytes -= known.buffer.byteCost
            open = known
        }
        recentRelation = nil
        phase = .chunk
    }

    private mutating func receiveStreamStop() throws(DecodingError) {
        guard phase == .chunk else { throw .misplaced(tag: UInt8(ascii: "E")) }
        let closed = close()
        shelvedBytes += closed.buffer.byteCost
        streamed[closed.buffer.xid] = closed
    }

    private mutating func receiveStreamCommit(
        _ commit: Commit, xid: UInt32
    ) throws(DecodingError) -> StreamEvent {
        guard phase == .idle else { throw .misplaced(tag: UInt8(ascii: "c")) }
        return try finish(unshelveStreamed(xid), commit)
    }

    private mutating func receive(_ abort: StreamAbort) throws(DecodingError) {
        guard phase == .idle else { throw .misplaced(tag: UInt8(ascii: "A")) }
        if abort.subtransaction != abort.xid {
            guard let freed = streamed[abort.xid]?.buffer.abort(abort.subtransaction) else { return }
            shelvedBytes -= freed
        } else {
            guard let gone = streamed.removeValue(forKey: abort.xid) else { return }
            shelvedBytes -= gone.buffer.byteCost
            relations.discard(gone.relations)
        }
        counters.aborts += 1
    }

    /// Takes a streamed transaction out that is complete. What it was told of relations counts for all from now on.
    private mutating func unshelveStreamed(_ xid: UInt32) throws(DecodingError) -> TransactionBuffer {
        guard let found = streamed.removeValue(forKey: xid) else { throw .unknownTransaction(xid: xid) }
        shelvedBytes -= found.buffer.byteCost
        relations.merge(found.relations)
        return found.buffer
    }
}

// MARK: - Prepared transactions

extension TransactionAssembler {
    private mutating func receiveBegin(_ prepare: Prepare) throws(DecodingError) {
        guard phase == .idle else { throw .misplaced(tag: UInt8(ascii: "b")) }
        phase = .preparing(prepare)
        open.buffer = TransactionBuffer(xid: prepare.id.xid)
    }

    private mutating func receive(_ prepare: Prepare) throws(DecodingError) -> StreamEvent? {
        guard case .preparing(let begin) = phase else { throw .misplaced(tag: UInt8(ascii: "P")) }
        guard prepare.id == begin.id, prepare.prepareLSN == begin.prepareLSN else {
            throw .boundaryMismatch(announced: begin.prepareLSN, found: prepare.prepareLSN)
        }
        return try shelve(close().buffer, prepare)
    }

    private mutating func receiveStreamPrepare(_ prepare: Prepare) throws(DecodingError) -> StreamEvent? {
        guard phase == .idle else { throw .misplaced(tag: UInt8(ascii: "p")) }
        return try shelve(unshelveStreamed(prepare.id.xid), prepare)
    }

    /// Keeps a prepared transaction; it takes effect when it commits, if ever.
    private mutating func shelve(
        _ buffer: TransactionBuffer, _ prepare: Prepare
    ) throws(DecodingError) -> StreamEvent? {
        guard prepared[prepare.id] == nil else { throw .repeatedTransaction(xid: prepare.id.xid) }
        guard prepared.count < limits.maxPreparedTransactions else { throw .limitExceeded(.preparedTransactions) }
        prepared[prepare.id] = buffer
        shelvedBytes += buffer.byteCost
        return progress(to: prepare.endLSN)
    }

    private mutating func receive(_ commit: CommitPrepared) throws(DecodingError) -> StreamEvent {
        guard phase == .idle else { throw .misplaced(tag: UInt8(ascii: "K")) }
        guard let buffer = prepared.removeValue(forKey: commit.id) else {
            throw .unknownPreparedTransaction(xid: commit.id.xid)
        }
        shelvedBytes -= buffer.byteCost
        return try finish(buffer, commit.commit)
    }

    private mutating func receive(_ rollback: RollbackPrepared) throws(DecodingError) -> StreamEvent? {
        guard phase == .idle else { throw .misplaced(tag: UInt8(ascii: "r")) }
        if let gone = prepared.removeValue(forKey: rollback.id) { shelvedBytes -= gone.byteCost }
        return progress(to: rollback.rollbackEndLSN)
    }

    /// A prepared transaction may be sent only when it commits, long after its own position: that is no progress.
    private mutating func progress(to end: LSN) -> StreamEvent? {
        guard end > position else { return nil }
        position = end
        return .progress(end)
    }
}

// MARK: - Bounds

extension TransactionAssembler {
    /// Whose changes are dropped to make room.
    private enum Owner {
        case open
        case streamed(UInt32)
        case prepared(PreparedID)
    }

    private var heldBytes: Int { shelvedBytes + open.buffer.byteCost }

    /// Keeps both bounds when one more change of the relation at `slot` is to cost `byteCost`. Afterwards it fits, or
    /// the relation is whole.
    private mutating func makeRoom(for byteCost: Int, slot: Int) throws(DecodingError) {
        if open.buffer.rows.count(slot) >= limits.maxChangesPerRelation {
            open.buffer.makeWhole(slot)
            counters.escalations += 1
            return
        }
        guard heldBytes + byteCost > limits.maxBufferedBytes else { return }
        escalateLargest()
        if heldBytes + byteCost > limits.maxBufferedBytes, !open.buffer.rows.isWhole(slot) {
            open.buffer.makeWhole(slot)
            counters.escalations += 1
        }
        guard heldBytes <= limits.maxBufferedBytes else { throw .limitExceeded(.bufferedBytes) }
    }

    /// Makes room for `byteCost` that cannot be left out.
    private mutating func makeRoom(for byteCost: Int) throws(DecodingError) {
        guard heldBytes + byteCost > limits.maxBufferedBytes else { return }
        escalateLargest()
        guard heldBytes + byteCost <= limits.maxBufferedBytes else { throw .limitExceeded(.bufferedBytes) }
    }

    /// Makes the relations whole that hold most, in whatever transaction, until half of the room is free: so the search
    /// is paid for by the bytes that came since the last.
    private mutating func escalateLargest() {
        var holders: [(owner: Owner, slot: Int, byteCost: Int)] = []
        func add(_ owner: Owner, _ buffer: TransactionBuffer) {
            for holder in buffer.rows.holders { holders.append((owner, holder.slot, holder.byteCost)) }
        }
        add(.open, open.buffer)
        for (xid, transaction) in streamed { add(.streamed(xid), transaction.buffer) }
        for (id, buffer) in prepared { add(.prepared(id), buffer) }
        holders.sort { $0.byteCost > $1.byteCost }
        for holder in holders where heldBytes > limits.maxBufferedBytes / 2 {
            makeWhole(holder.owner, holder.slot)
            counters.escalations += 1
        }
    }

    private mutating func makeWhole(_ owner: Owner, _ slot: Int) {
        switch owner {
        case .open: open.buffer.makeWhole(slot)
        case .streamed(let xid): shelvedBytes -= streamed[xid]?.buffer.makeWhole(slot) ?? 0
        case .prepared(let id): shelvedBytes -= prepared[id]?.makeWhole(slot) ?? 0
        }
    }
}
