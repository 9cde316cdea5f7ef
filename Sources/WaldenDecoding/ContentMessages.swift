import WaldenCore

/// 'T'. Relations truncated through CASCADE stand in the list, if they are published.
struct Truncate {
    let subtransaction: UInt32?
    let relationCount: Int
    /// Where the list begins. It stays in the message, whose length the server chooses.
    let listOffset: Int

    init(_ reader: inout MessageReader, in bytes: borrowing RawSpan, inChunk: Bool) throws(DecodingError) {
        subtransaction = try reader.subtransaction(in: bytes, inChunk: inChunk)
        let announced = try reader.integer(Int32.self, in: bytes)
        // CASCADE and RESTART IDENTITY: neither matters to what is empty afterwards.
        _ = try reader.byte(in: bytes)
        guard announced >= 0 else { throw .malformed(tag: reader.tag, .lengthOutOfRange) }
        relationCount = Int(announced)
        listOffset = reader.offset
        for _ in 0..<relationCount { _ = try reader.relation(in: bytes) }
    }

    /// The relation at `index` of the list, in the bytes that this was decoded from.
    func relation(_ index: Int, in bytes: borrowing RawSpan) throws(DecodingError) -> RelationID {
        var cursor = ByteCursor(at: listOffset + index * MemoryLayout<UInt32>.size)
        do throws(ByteError) {
            return RelationID(try cursor.read(UInt32.self, in: bytes))
        } catch {
            throw .malformed(tag: UInt8(ascii: "T"), error)
        }
    }
}

/// 'M', written by `pg_logical_emit_message`.
struct EmittedMessage: Hashable {
    let subtransaction: UInt32?
    let isTransactional: Bool
    /// Where prefix and content stand; they are copied only if somebody wants them.
    let prefix: Range<Int>
    let content: Range<Int>

    init(_ reader: inout MessageReader, in bytes: borrowing RawSpan, inChunk: Bool) throws(DecodingError) {
        subtransaction = try reader.subtransaction(in: bytes, inChunk: inChunk)
        isTransactional = try reader.byte(in: bytes) & 1 != 0
        _ = try reader.lsn(in: bytes)
        prefix = try reader.textRange(in: bytes)
        content = try reader.counted(in: bytes)
    }
}

extension RelationDescription {
    /// The fields of 'R' behind the identifier of the subtransaction.
    convenience init(_ reader: inout MessageReader, in bytes: borrowing RawSpan) throws(DecodingError) {
        let id = try reader.relation(in: bytes)
        let namespace = try reader.text(in: bytes)
        let name = try reader.text(in: bytes)
        let identityByte = try reader.byte(in: bytes)
        guard let identity = ReplicaIdentity(rawValue: identityByte) else {
            throw .unknownVariant(tag: reader.tag, byte: identityByte)
        }
        // A column takes at least its flags, an empty name, its type and its modifier.
        let count = try reader.count(Int16.self, elementBytes: 10, in: bytes)
        var columns: [Column] = []
        columns.reserveCapacity(count)
        for _ in 0..<count {
            let isKey = try reader.byte(in: bytes) & 1 != 0
            let name = try reader.text(in: bytes)
            let type = TypeID(try reader.integer(in: bytes))
            columns.append(
                Column(name: name, type: type, typeModifier: try reader.integer(in: bytes), isKey: isKey))
        }
        self.init(id: id, namespace: namespace, name: name, replicaIdentity: identity, columns: columns)
    }

    /// Whether `other` says the same of the same relation.
    func isSame(as other: RelationDescription) -> Bool {
        id == other.id && namespace == other.namespace && name == other.name
            && replicaIdentity == other.replicaIdentity && columns == other.columns
    }

    /// Roughly what remembering it costs.
    var byteCost: Int {
        columns.reduce(128 + namespace.utf8.count + name.utf8.count) { $0 + 32 + $1.name.utf8.count }
    }
}
