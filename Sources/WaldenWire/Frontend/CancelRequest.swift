import WaldenCore

/// CancelRequest: asks, on a connection of its own, that a running query be stopped (protocol chapter, Canceling
/// Requests in Progress; Message Formats, CancelRequest).
public struct CancelRequest: Hashable, Sendable {
    /// The length of a secret that is accepted, in bytes. Protocol 3.0 always has 4.
    public static let secretByteCounts = 4...256

    public var processID: Int32
    public var secret: [UInt8]

    public init(processID: Int32, secret: [UInt8]) {
        self.processID = processID
        self.secret = secret
    }

    /// Appends the whole packet, with its length.
    public func encode(into bytes: inout [UInt8]) {
        MessageWriter.appendUntagged(into: &bytes) { bytes in
            bytes.appendInteger(StartupPacket.Code.cancelRequest)
            bytes.appendInteger(processID)
            bytes.append(contentsOf: secret)
        }
    }

    /// Reads what follows the request code.
    init(reader: consuming BodyReader, in bytes: borrowing RawSpan) throws(WireError) {
        guard reader.remaining >= 4 else { throw WireError(.startup(.invalidCancelRequestLength)) }
        processID = try reader.read(Int32.self, in: bytes)
        let secret = reader.takeRest()
        guard Self.secretByteCounts.contains(secret.count) else {
            throw WireError(.startup(.invalidCancelKeyLength))
        }
        self.secret = bytes.copy(secret)
    }
}
