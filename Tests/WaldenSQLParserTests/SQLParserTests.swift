import Synchronization
import Testing
import WaldenDependency

@testable import WaldenSQLParser

#if canImport(Glibc)
import Glibc
#endif

/// The bridge to libpg_query: hostile texts, threads, and the reading of its JSON.
struct SQLParserTests {
    private static func repeated(_ prefix: String, _ part: String, _ count: Int, _ suffix: String, _ close: String)
        -> String
    {
        prefix + String(repeating: part, count: count) + suffix + String(repeating: close, count: count)
    }

    /// Texts up to the length limit that nest as deep as they can, each in another construct.
    static let deep: [String] = [
        repeated("select ", "1+", 32_000, "1", ""), repeated("select ", "(", 9_000, "1", ")"),
        repeated("select ", "- ", 30_000, "a", ""), repeated("select 1 ", "union select 1 ", 4_300, "", ""),
        repeated("select * from a ", "cross join b ", 5_000, "", ""), repeated("select ", "f(", 9_000, "1", ")"),
        repeated("", "select(", 8_000, "select 1", ")"), repeated("select ", "not ", 16_000, "a", ""),
        repeated("select a ", "::b", 21_000, "", ""), repeated("select ", "case when 1 then ", 3_000, "1", " end"),
        repeated("select 1 ", "in (select 1) ", 4_500, "", ""), repeated("select a ", "isnull ", 9_000, "", ""),
        repeated("explain ", "explain ", 8_000, "select 1", ""), repeated("select a", "[1]", 21_000, "", ""),
        repeated("select * from ", "(", 9_000, "t", ")"),
        repeated("with a as (", "with a as (", 2_000, "select 1", ")"),
    ]

    @Test(arguments: deep) func deepTextsAreRefused(_ sql: String) {
        #expect(sql.utf8.count <= 65_536)
        // Within the limits of a thread of 512 KiB.
        let outcome = onThread(stackBytes: 512 << 10) {
            switch analyze(sql).verdict {
            case .cacheable: false
            case .uncacheable: true
            }
        }
        #expect(outcome == true)
    }

    /// The longest texts that are parsed on the caller's own stack.
    @Test(arguments: deep.indices) func shortDeepTextsNeedLittleStack(_ index: Int) {
        let parts: [(String, String, String, String)] = [
            ("select ", "1+", "1", ""), ("select ", "(", "1", ")"), ("select ", "- ", "a", ""),
            ("select 1 ", "union select 1 ", "", ""), ("select * from a ", "cross join b ", "", ""),
            ("select ", "f(", "1", ")"), ("", "select(", "select 1", ")"), ("select ", "not ", "a", ""),
            ("select a ", "::b", "", ""), ("select ", "case when 1 then ", "1", " end"),
            ("select 1 ", "in (select 1) ", "", ""), ("select a ", "isnull ", "", ""),
            ("explain ", "explain ", "select 1", ""), ("select a", "[1]", "", ""), ("select * from ", "(", "t", ")"),
            ("with a as (", "with a as (", "select 1", ")"),
        ]
        let (prefix, part, suffix, close) = parts[index]
        let count = (2_950 - prefix.utf8.count - suffix.utf8.count) / (part.utf8.count + close.utf8.count)
        let sql = Self.repeated(prefix, part, count, suffix, close)
        #expect(onThread(stackBytes: 512 << 10) { analyze(sql).effects.count <= 1 } == true)
    }

    @Test func threadsDoNotDisturbOneAnother() {
        let catalog = StatementCatalog()
        catalog.replaceCatalog(testCatalog)
        let context = SessionContext(searchPath: nil, loginUser: "a", user: "a")
        let wrong = Atomic(0)
        let threads = (0..<4).map { thread in
            Worker {
                for round in 0..<300 {
                    let isGood = (round + thread) % 3 != 0
                    let sql = isGood ? "select id from orders where id = \(round)" : "select from where \(round) ("
                    let analysis = catalog.analysis(of: Array(sql.utf8).span.bytes, context: context)
                    switch analysis.verdict {
                    case .cacheable: if !isGood { wrong.add(1, ordering: .relaxed) }
                    case .uncacheable: if isGood { wrong.add(1, ordering: .relaxed) }
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(wrong.load(ordering: .relaxed) == 0)
    }

    @Test func zeroBytesAreNotCutOff() {
        guard case .failed = SQLParser.parse(Array("select 1\u{0} from x".utf8)) else {
            Issue.record("parsed a text with a zero byte")
            return
        }
    }

    @Test func backslashesNeedStandardStrings() {
        let catalog = StatementCatalog()
        catalog.replaceCatalog(testCatalog)
        let context = SessionContext(searchPath: nil, loginUser: "a", user: "a", standardConformingStrings: false)
        func effect(_ sql: String) -> SessionEffect {
            catalog.analysis(of: Array(sql.utf8).span.bytes, context: context).effect
        }
        #expect(effect("select 'a\\' || setter() --'") == .opaque)
        #expect(effect("select 'a'") == .readOnly)
    }

    @Test(arguments: [
        "", "{", "[", "{}x", "{\"a\":", "{\"a\"}x", "{\"a\":{}", "\"a\"", "nul", "{\"a\":\"b", "]", "{\"a\\",
    ])
    func malformedJSONIsRefused(_ json: String) {
        #expect(ParseTree(json: Array(json.utf8)) == nil)
    }

    @Test func readsJSON() throws {
        let json = #"{"a":[{"b":"x\n\"\\é\u003c"},{}],"c":-12,"d":true,"e":"","f":{"g":1}}"#
        let tree = try #require(ParseTree(json: Array(json.utf8)))
        let list = try #require(tree.child(of: 0, "a"))
        #expect(tree.children(of: list).count == 2)
        let text = try #require(tree.child(of: tree.children(of: list)[0], "b"))
        #expect(tree.string(text) == "x\n\"\\é<")
        #expect(tree.child(of: 0, "c").flatMap { tree.integer($0) } == -12)
        #expect(tree.child(of: 0, "d").map { tree.nodes[$0].kind } == .yes)
        #expect(tree.child(of: 0, "e").flatMap { tree.string($0) } == "")
        #expect(tree.child(of: 0, "g") == nil)
        #expect(tree.children(of: 0).map { tree.key(of: $0) } == ["a", "c", "d", "e", "f"])
    }

    @Test func unknownFieldsAreRefused() throws {
        let json = #"{"SelectStmt":{"targetList":[],"newClause":true}}"#
        let tree = try #require(ParseTree(json: Array(json.utf8)))
        var reader = SyntaxReader(tree: tree, source: [])
        #expect(throws: Refusal(.unsupportedSyntax, "newClause of SELECT")) { try reader.query(1) }
    }
}

/// A thread of its own.
private final class Worker: Sendable {
    private let body: @Sendable () -> Void
    private let thread = Mutex<pthread_t?>(nil)

    init(stackBytes: Int = 8 << 20, _ body: @escaping @Sendable () -> Void) {
        self.body = body
        // By pointer: several C modules define the type, and which of them lends its initializer is chance.
        let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
        defer { attributes.deallocate() }
        pthread_attr_init(attributes)
        pthread_attr_setstacksize(attributes, stackBytes)
        var handle = pthread_t()
        let argument = Unmanaged.passRetained(self).toOpaque()
        let status = pthread_create(
            &handle, attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Worker>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, argument)
        if status == 0 { thread.withLock { $0 = handle } }
    }

    func join() {
        guard let handle = thread.withLock({ $0 }) else { return }
        pthread_join(handle, nil)
    }
}

private final class Answer: Sendable {
    let value = Mutex<Bool?>(nil)
}

private func onThread(stackBytes: Int, _ body: @escaping @Sendable () -> Bool) -> Bool? {
    let answer = Answer()
    let worker = Worker(stackBytes: stackBytes) {
        let value = body()
        answer.value.withLock { $0 = value }
    }
    worker.join()
    return answer.value.withLock { $0 }
}
