public import WaldenCore

/// Reads a logical replication stream: the payloads of CopyData messages go in, one after the other; committed
/// transactions and positions come out.
///
/// One decoder serves one connection, from `START_REPLICATION` on, as the server describes relations and sends pieces
/// of transactions once per connection. After an error the stream cannot be followed: the decoder gives the same error
/// to every further call. It is a value; a copy goes its own way.
public struct StreamDecoder: Sendable {
    private let version: PgoutputVersion
    private var assembler: TransactionAssembler
    private var failure: DecodingError?

    /// Where the last frame of log data began.
    public private(set) var receivedLSN = LSN.zero

    /// - Parameters:
    ///   - protocolVersion: what was asked for as `proto_version`, 1 to 4; another number counts as the nearest.
    ///   - messagePrefix: the prefix of the logical messages to hand over; nil for all.
    public init(protocolVersion: Int, limits: StreamLimits = StreamLimits(), messagePrefix: String? = nil) {
        version = PgoutputVersion(nearest: protocolVersion)
        assembler = TransactionAssembler(limits: limits, messagePrefix: messagePrefix)
    }

    /// Every transaction that ended at or before this was handed over.
    public var position: LSN { assembler.position }

    public var counters: StreamCounters { assembler.counters }

    /// Takes the payload of one CopyData message and returns what it completes, if anything.
    public mutating func decode(_ copyData: borrowing RawSpan) throws(DecodingError) -> StreamEvent? {
        if let failure { throw failure }
        do throws(DecodingError) {
            return try step(copyData)
        } catch {
            failure = error
            throw error
        }
    }

    private mutating func step(_ bytes: borrowing RawSpan) throws(DecodingError) -> StreamEvent? {
        switch try ReplicationFrame.decode(bytes) {
        case .data(let header):
            receivedLSN = max(receivedLSN, header.start)
            let message = try PgoutputMessage.decode(
                bytes, at: ReplicationFrame.headerBytes, version: version, inChunk: assembler.isInChunk)
            return try assembler.receive(message, in: bytes)
        case .keepalive(let end, _, let replyRequested):
            return assembler.receiveKeepalive(end: end, replyRequested: replyRequested)
        }
    }
}
