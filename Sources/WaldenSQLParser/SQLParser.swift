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
        if text.count <= bytesOnAnyStack { return parseHere(text) }
        guard text.count <= stackBytes / 512 else { return .failed(reason: "too long") }
        return parseOnOwnThread(text)
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

    /// What a parsing thread is given and gives back.
    private final class Job {
        let text: [UInt8]
        var outcome = Outcome.failed(reason: "no thread")

        init(text: [UInt8]) {
            self.text = text
        }
    }

    private static func parseOnOwnThread(_ text: [UInt8]) -> Outcome {
        let job = Job(text: text)
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return job.outcome }
        defer { pthread_attr_destroy(&attributes) }
        guard pthread_attr_setstacksize(&attributes, stackBytes) == 0 else { return job.outcome }
        var thread = pthread_t()
        let started = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                let job = Unmanaged<Job>.fromOpaque(argument).takeUnretainedValue()
                job.outcome = SQLParser.parseHere(job.text)
                return nil
            }, Unmanaged.passUnretained(job).toOpaque())
        guard started == 0 else { return job.outcome }
        pthread_join(thread, nil)
        return job.outcome
    }
}
