import Glibc
import NIOCore
import NIOSSL

/// What is on its way out to one peer, on that peer's event loop.
///
/// Bytes are gathered and leave with `flush`, in one system call made right here: the channel's way to that same call
/// costs 4,000 instructions, and a relayed request goes it twice (docs/adr/0036-bytes-past-the-pipeline.md). What the
/// kernel does not take at once goes to the channel, which waits until the socket takes more and tells its writability;
/// until the channel has sent it all, what follows goes the same way, so bytes never change places. Errors are the
/// channel's, too: it makes the call again and closes itself.
final class SocketOutput {
    /// Up to this size bytes are copied and gathered into one system call; that leaves the receive buffer free, and
    /// costs less than another call.
    static let gatherBytes = 4 * 1024
    /// Bytes that are gathered at the most before some are sent.
    private static let batchBytes = 64 * 1024

    private enum Way {
        case undecided
        case socket(CInt)
        /// A handler changes what is sent, as TLS does, or the socket is gone.
        case channel
    }

    let channel: any Channel
    private var way = Way.undecided
    /// To be sent with the next flush.
    private var buffer = ByteBuffer()
    /// Whether the channel was left bytes that it may not have sent yet.
    private var isQueued = false
    private var needsFlush = false
    private var sent = 0

    init(_ channel: any Channel) {
        self.channel = channel
    }

    /// Bytes sent, or left to the channel, since this was last asked.
    func takeCount() -> Int {
        defer { sent = 0 }
        return sent
    }

    // MARK: Gathering

    func writeBytes(_ bytes: [UInt8]) {
        buffer.writeBytes(bytes)
    }

    func writeStaticString(_ bytes: StaticString) {
        buffer.writeStaticString(bytes)
    }

    /// Takes the next `count` readable bytes of `source`, at most all of them.
    func write(_ count: Int, from source: inout ByteBuffer) {
        if count <= Self.gatherBytes {
            buffer.writeBytes(source, first: count)
            source.moveReaderIndex(forwardBy: count)
        } else if let slice = source.readSlice(length: count) {
            send(slice)
        }
    }

    func write(_ reply: CachedReply) {
        if let large = reply.append(to: &buffer, allocator: ByteBufferAllocator()) { send(large) }
    }

    /// Sends a large batch early, so that its size stays bounded.
    func limitBatch() {
        if buffer.readableBytes >= Self.batchBytes { flush() }
    }

    // MARK: Sending

    func flush() {
        if buffer.readableBytes > 0 { sendGathered() }
        guard needsFlush else { return }
        needsFlush = false
        channel.flush()
    }

    private func sendGathered() {
        sent += buffer.readableBytes
        sendDirectly(&buffer)
        guard buffer.readableBytes > 0 else { return buffer.clear() }
        let rest = buffer
        buffer = ByteBuffer()
        queue(rest)
    }

    /// Sends what was gathered, then these. It closes nothing: what goes wrong shows with the next flush.
    private func send(_ bytes: ByteBuffer) {
        if buffer.readableBytes > 0 { sendGathered() }
        sent += bytes.readableBytes
        var rest = bytes
        sendDirectly(&rest)
        if rest.readableBytes > 0 { queue(rest) }
    }

    private func queue(_ bytes: ByteBuffer) {
        isQueued = true
        needsFlush = true
        channel.write(bytes, promise: nil)
    }

    /// Moves the reader index over what the kernel has taken.
    private func sendDirectly(_ bytes: inout ByteBuffer) {
        guard let socket = socket(), !isBehindChannel() else { return }
        let count = bytes.withUnsafeReadableBytes { bytes in
            Glibc.send(socket, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
        }
        if count > 0 { bytes.moveReaderIndex(forwardBy: count) }
    }

    private func isBehindChannel() -> Bool {
        if isQueued { isQueued = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) != 0 }
        return isQueued
    }

    // MARK: The way

    private func socket() -> CInt? {
        switch way {
        case .socket(let socket): return socket
        case .channel: return nil
        case .undecided:
            let operations = channel.pipeline.syncOperations
            let isEncrypted = (try? operations.context(handlerType: NIOSSLClientHandler.self)) != nil
            if !isEncrypted, let socket = try? operations.withUnsafeTransportIfAvailable(of: CInt.self, { $0 }) {
                way = .socket(socket)
                return socket
            }
            way = .channel
            return nil
        }
    }

    /// From now on a handler changes what is sent.
    func usePipeline() {
        way = .channel
    }

    /// Closes the channel after what has been written.
    func close() {
        flush()
        channelClosed()
        channel.close(promise: nil)
    }

    /// The number of the socket may be another's from now on.
    func channelClosed() {
        way = .channel
    }
}

extension ByteBuffer {
    /// Appends the first `count` readable bytes of `other`, at most all of them.
    fileprivate mutating func writeBytes(_ other: ByteBuffer, first count: Int) {
        other.withUnsafeReadableBytes { bytes in
            _ = writeBytes(UnsafeRawBufferPointer(rebasing: bytes.prefix(count)))
        }
    }
}
