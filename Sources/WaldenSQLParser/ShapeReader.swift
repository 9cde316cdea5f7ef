import CPgQuery
import Glibc
import WaldenCore

/// Asks libpg_query for a statement's shape.
enum ShapeReader {
    /// Nil when the text cannot be parsed.
    static func id(of text: [UInt8]) -> ShapeID? {
        SQLParser.withEnoughStack(for: text) { text in
            let result = (text + [0]).withUnsafeBytes {
                pg_query_fingerprint($0.assumingMemoryBound(to: CChar.self).baseAddress)
            }
            defer { pg_query_free_fingerprint_result(result) }
            return result.error == nil ? ShapeID(rawValue: result.fingerprint) : nil
        }
    }

    /// The text with its constants replaced by `$n`; empty when that fails.
    static func normalized(_ text: [UInt8]) -> [UInt8] {
        let bytes: [UInt8]? = SQLParser.withEnoughStack(for: text) { text in
            let result = (text + [0]).withUnsafeBytes {
                pg_query_normalize($0.assumingMemoryBound(to: CChar.self).baseAddress)
            }
            defer { pg_query_free_normalize_result(result) }
            guard result.error == nil, let printed = result.normalized_query else { return nil }
            return Array(UnsafeRawBufferPointer(start: printed, count: strlen(printed)))
        }
        return bytes ?? []
    }
}
