import CPgQuery
import Glibc
import WaldenDependency

/// Calls libpg_query (PostgreSQL's own grammar), which keeps its state per thread.
enum SQLParser {
    enum Outcome {
        case tree(ParseTree)
        /// Not SQL of the grammar's version, or more than the limits allow.
        case failed(reason: String)
    }

    /// Up to this length no text nests so deep that parsing it needs more than 300 KiB of stack: the dearest level
    /// takes 7 bytes of text and 520 bytes of stack, the cheapest in text 2 and 170 (measured, libpg_query 15).
    private static let bytesOnAnyStack = 3_000
    /// For longer ones, up to 64 KiB, a thread of its own.
    private static let stackBytes = 64 << 20

    /// Parses `text`, which must not hold a zero byte.
    static func parse(_ text: [UInt8]) -> Outcome {
        guard !text.contains(0) else { return .failed(reason: "a zero byte") }
        return withEnoughStack(for: text, parseHere) ?? .failed(reason: "too long, or no thread for it")
    }

    /// Calls `body` where the text cannot exhaust the stack; nil when there is no such place.
    static func withEnoughStack<Result>(for text: [UInt8], _ body: @escaping ([UInt8]) -> Result?) -> Result? {
        if text.count <= bytesOnAnyStack { return body(text) }
        guard text.count <= stackBytes / 512 else { return nil }
        var result: Result?
        runOnOwnThread { result = body(text) }
        return result
    }

    private static func parseHere(_ text: [UInt8]) -> Outcome {
        let terminated = text + [0]
        let result = terminated.withUnsafeBytes { bytes in
            pg_query_parse(bytes.assumingMemoryBound(to: CChar.self).baseAddress)
        }
        defer { pg_query_free_parse_result(result) }
        if let error = result.error {
            // The library's message may quote a literal.
            return .failed(reason: "not understood at character \(error.pointee.cursorpos)")
        }
        guard let printed = result.parse_tree else { return .failed(reason: "out of memory") }
        let json = UnsafeRawBufferPointer(start: printed, count: strlen(printed))
        guard json.count <= ParseTree.byteLimit, let tree = ParseTree(json: Array(json)) else {
            return .failed(reason: "a parse tree beyond the limits")
        }
        return .tree(tree)
    }

    /// What a parsing thread is to do.
    private final class Job {
        let work: () -> Void

        init(_ work: @escaping () -> Void) {
            self.work = work
        }
    }

    /// Returns once it is done; does nothing when the system gives no thread.
    private static func runOnOwnThread(_ work: () -> Void) {
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return }
        defer { pthread_attr_destroy(&attributes) }
        guard pthread_attr_setstacksize(&attributes, stackBytes) == 0 else { return }
        withoutActuallyEscaping(work) { work in
            let job = Job(work)
            var thread = pthread_t()
            let started = pthread_create(
                &thread, &attributes,
                { argument in
                    guard let argument else { return nil }
                    Unmanaged<Job>.fromOpaque(argument).takeUnretainedValue().work()
                    return nil
                }, Unmanaged.passUnretained(job).toOpaque())
            if started == 0 { pthread_join(thread, nil) }
        }
    }
}
