public import WaldenCore

/// 'r', what the receiver reports of its progress (protocol chapter, "Standby status update").
public struct StandbyStatus: Hashable, Sendable {
    /// Received, flushed and applied up to here. The server keeps the log from `flushed` on.
    public let written: LSN
    public let flushed: LSN
    public let applied: LSN
    /// Microseconds since 2000-01-01 UTC on this machine.
    public let clock: Int64
    /// Asks the walsender for a keepalive at once.
    public let replyRequested: Bool

    public init(written: LSN, flushed: LSN, applied: LSN, clock: Int64, replyRequested: Bool) {
        self.written = written
        self.flushed = flushed
        self.applied = applied
        self.clock = clock
        self.replyRequested = replyRequested
    }

    /// The payload of a CopyData message, 34 bytes.
    public func encode() -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "r")]
        bytes.reserveCapacity(34)
        for word in [written.rawValue, flushed.rawValue, applied.rawValue, UInt64(bitPattern: clock)] {
            withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
        }
        bytes.append(replyRequested ? 1 : 0)
        return bytes
    }
}
