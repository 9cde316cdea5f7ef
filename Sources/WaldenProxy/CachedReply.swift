import CLZ4
import NIOCore
import WaldenCache

/// A result as the server sent it: RowDescription (when described), DataRows, CommandComplete.
///
/// Small results are plain arrays, which cost the least memory and are copied into the write buffer of a hit. Large
/// ones are shared with the channel without a copy, or kept compressed while the cache is short of space.
final class CachedReply: Sendable {
    private enum Storage {
        case small([UInt8])
        case large(ByteBuffer)
        case compressed([UInt8], byteCount: Int)
    }

    /// Up to this size a copy costs less than another element in the write queue.
    static let smallByteCount = 32 * 1024

    private let storage: Storage
    /// What the reply occupies in memory.
    let heldBytes: Int
    /// Where hits are counted, and how closely they are audited; nil when nobody asks.
    let tag: FillTag?

    init(_ bytes: ByteBuffer, compress: Bool, tag: FillTag? = nil) {
        self.tag = tag
        if compress, let packed = LZ4.compress(bytes) {
            storage = .compressed(packed, byteCount: bytes.readableBytes)
            heldBytes = packed.count
        } else if bytes.readableBytes <= Self.smallByteCount {
            storage = .small(Array(bytes.readableBytesView))
            heldBytes = bytes.readableBytes
        } else {
            storage = .large(bytes)
            heldBytes = bytes.capacity
        }
    }

    /// Appends the reply to `output`, or hands it over as a buffer of its own that must follow `output`.
    func append(to output: inout ByteBuffer, allocator: ByteBufferAllocator) -> ByteBuffer? {
        switch storage {
        case .small(let bytes):
            output.writeBytes(bytes)
            return nil
        case .large(let buffer):
            return buffer
        case .compressed(let packed, let byteCount):
            return LZ4.decompress(packed, byteCount: byteCount, allocator: allocator)
        }
    }
}

/// The LZ4 block format (liblz4 `lz4.h`).
private enum LZ4 {
    /// Nil when it would not save at least an eighth.
    static func compress(_ bytes: ByteBuffer) -> [UInt8]? {
        let source = bytes.readableBytesView
        guard let count = Int32(exactly: source.count) else { return nil }
        let bound = Int(LZ4_compressBound(count))
        guard bound > 0 else { return nil }
        let packed = [UInt8](unsafeUninitializedCapacity: bound) { target, written in
            let limit = Int32(clamping: target.count)
            written = source.withUnsafeBytes { source in
                guard let from = source.baseAddress, let to = target.baseAddress else { return 0 }
                return Int(
                    LZ4_compress_default(
                        from.assumingMemoryBound(to: CChar.self),
                        UnsafeMutableRawPointer(to).assumingMemoryBound(to: CChar.self), count, limit))
            }
        }
        guard !packed.isEmpty, packed.count < source.count - source.count / 8 else { return nil }
        return Array(packed[...])
    }

    /// The block was made by `compress`, so that a failure means damaged memory; nothing is returned then.
    static func decompress(_ packed: [UInt8], byteCount: Int, allocator: ByteBufferAllocator) -> ByteBuffer? {
        var result = allocator.buffer(capacity: byteCount)
        let written = result.writeWithUnsafeMutableBytes(minimumWritableBytes: byteCount) { target in
            packed.withUnsafeBytes { source in
                guard let from = source.baseAddress, let to = target.baseAddress else { return 0 }
                let count = LZ4_decompress_safe(
                    from.assumingMemoryBound(to: CChar.self), to.assumingMemoryBound(to: CChar.self),
                    Int32(clamping: source.count), Int32(clamping: byteCount))
                return max(0, Int(count))
            }
        }
        return written == byteCount ? result : nil
    }
}
