import Synchronization
public import WaldenCore
public import WaldenDependency

/// The analyses of the statement texts in use, shared by all sessions of one database.
///
/// An analysis holds for one text, one catalog generation and one context of name resolution. Both the number of
/// texts and their bytes are bounded; a full table is emptied by half, oldest first.
public final class StatementCatalog: Sendable {
    public struct Limits: Sendable {
        /// Longer texts are not parsed. Bytes.
        public var textBytes: Int
        /// Longer texts are not even looked through for their effect, which is then taken to be the worst. Bytes.
        public var scanBytes: Int
        /// Texts kept.
        public var count: Int
        /// Bytes of the texts kept.
        public var totalBytes: Int

        public init(textBytes: Int = 65_536, scanBytes: Int = 1 << 20, count: Int = 20_000, totalBytes: Int = 64 << 20)
        {
            self.textBytes = textBytes
            self.scanBytes = scanBytes
            self.count = count
            self.totalBytes = totalBytes
        }
    }

    private struct Key: Hashable {
        let text: [UInt8]
        let context: SessionContext
    }

    private struct State {
        var analyzer: StatementAnalyzer?
        var functions = DeclaredFunctions()
        var known: [Key: StatementAnalysis] = [:]
        /// The keys of `known`, oldest first.
        var order: [Key] = []
        var bytes = 0

        mutating func forget() {
            known.removeAll()
            order.removeAll()
            bytes = 0
        }
    }

    /// How cacheable statements are to be treated.
    public let policies = PolicyBook()
    private let limits: Limits
    private let isCaching: Bool
    private let state = Mutex(State())

    /// - Parameter isCaching: Whether anybody asks what may be kept. If not, texts that differ by values alone share an
    ///   analysis.
    public init(limits: Limits = Limits(), isCaching: Bool = true) {
        self.limits = limits
        self.isCaching = isCaching
    }

    /// Takes a new snapshot and forgets what was concluded from the old one. Nil: the catalog is not known, so that
    /// nothing is cacheable.
    public func replaceCatalog(_ catalog: CatalogSnapshot?) {
        state.withLock { state in
            state.analyzer = catalog.map {
                StatementAnalyzer(catalog: $0, parser: Self.definitions, declared: state.functions)
            }
            state.forget()
        }
    }

    /// The relations of that name; nil while the catalog is not known.
    ///
    /// - Parameter schema: Nil: whatever schema they are in.
    public func relations(named name: String, in schema: String?) -> Set<RelationID>? {
        state.withLock { $0.analyzer?.catalog }.map { Set($0.relations(named: name, in: schema).map(\.id)) }
    }

    /// Takes what is now declared of users' functions. What the cache has kept is the caller's.
    public func replaceFunctions(_ functions: DeclaredFunctions) {
        state.withLock { state in
            state.functions = functions
            state.analyzer = state.analyzer.map {
                StatementAnalyzer(catalog: $0.catalog, parser: Self.definitions, declared: functions)
            }
            state.forget()
        }
    }

    /// Takes new rules, and forgets which statements the old ones matched. What the cache has kept is the caller's.
    public func replaceRules(_ rules: RuleSet) {
        policies.replaceRules(rules)
        state.withLock { $0.forget() }
    }

    /// By which statements are judged now.
    public var catalog: CatalogSnapshot? { state.withLock { $0.analyzer?.catalog } }

    /// How many analyses are kept.
    public var count: Int { state.withLock { $0.known.count } }

    /// The analysis of `sql`, which is UTF-8 without a zero byte.
    public func analysis(of sql: borrowing RawSpan, context: SessionContext) -> StatementAnalysis {
        guard sql.byteCount <= limits.textBytes else {
            let refusal = Refusal(.statementTooLong, "the text is longer than \(limits.textBytes) bytes")
            if sql.byteCount > limits.scanBytes {
                return StatementAnalysis(effect: .opaque, verdict: .uncacheable(refusal))
            }
            return Self.unparsed(
                sql, refusal, context: context,
                analyzer: context.isOfFollowedDatabase ? state.withLock { $0.analyzer } : nil)
        }
        if !isCaching, context.standardConformingStrings, let text = LiteralFreeText.read(sql) {
            return analysis(of: sql, withoutValues: Key(text: text, context: context))
        }
        return analysis(of: Key(text: sql.withUnsafeBytes { Array($0) }, context: context))
    }

    /// The analysis of any text that is `key` without its values, if these make no difference.
    private func analysis(of sql: borrowing RawSpan, withoutValues key: Key) -> StatementAnalysis {
        let (known, catalogued) = state.withLock { ($0.known[key], $0.analyzer) }
        if let known, known.isWithoutValues { return known }
        let whole = analysis(of: Key(text: sql.withUnsafeBytes { Array($0) }, context: key.context))
        if known == nil {
            let shared = whole.withoutValues
            state.withLock { remember(shared, for: key, by: catalogued, in: &$0) }
        }
        return whole
    }

    private func analysis(of key: Key) -> StatementAnalysis {
        let context = key.context
        let (known, catalogued) = state.withLock { ($0.known[key], $0.analyzer) }
        if let known { return known }
        // Another database's catalog says nothing of this one's functions.
        let analyzer = context.isOfFollowedDatabase ? catalogued : nil
        let revision = policies.revision
        var analysis = policies.governed(
            Self.analyze(key.text, context: context, analyzer: analyzer), text: key.text, context: context,
            catalog: analyzer?.catalog)
        if let hint = StatementHint.read(key.text) { analysis = analysis.hinted(hint) }
        state.withLock { state in
            if policies.revision == revision { remember(analysis, for: key, by: catalogued, in: &state) }
        }
        return analysis
    }

    /// Definitions of views and policies.
    private static let definitions = DefinitionParser { text in
        let source = Array(text.utf8)
        guard source.count <= Limits().textBytes, case .tree(let tree) = SQLParser.parse(source) else { return nil }
        return StatementReader(tree: tree, source: source).read()
    }

    private static func analyze(
        _ text: [UInt8], context: SessionContext, analyzer: StatementAnalyzer?
    ) -> StatementAnalysis {
        if !context.standardConformingStrings, text.contains(UInt8(ascii: "\\")) {
            let refusal = Refusal(.unparsable, "a backslash while standard_conforming_strings is off")
            return StatementAnalysis(effect: .opaque, verdict: .uncacheable(refusal))
        }
        switch SQLParser.parse(text) {
        case .failed(let reason):
            return unparsed(text.span.bytes, Refusal(.unparsable, reason), context: context, analyzer: analyzer)
        case .tree(let tree):
            guard let parsed = StatementReader(tree: tree, source: text).read() else {
                let refusal = Refusal(.unparsable, "an unexpected parse tree")
                return StatementAnalysis(effect: .opaque, verdict: .uncacheable(refusal))
            }
            if let analyzer { return analyzer.analyze(parsed, context: context) }
            let refusal = Refusal(.catalogUnknown, "the catalog has not been read")
            return refused(parsed.statements, refusal, context: context, effects: EffectAnalyzer(catalog: nil))
        }
    }

    /// What is concluded without a parse tree.
    private static func unparsed(
        _ text: borrowing RawSpan, _ refusal: Refusal, context: SessionContext, analyzer: StatementAnalyzer?
    ) -> StatementAnalysis {
        let isLegible = context.standardConformingStrings
        guard isLegible, let statements = LexicalScan.statements(in: text, refusal: refusal) else {
            return StatementAnalysis(effect: .opaque, verdict: .uncacheable(refusal))
        }
        let effects = analyzer?.effects ?? EffectAnalyzer(catalog: nil)
        return refused(statements, refusal, context: context, effects: effects)
    }

    private static func refused(
        _ statements: [ParsedStatement], _ refusal: Refusal, context: SessionContext, effects: EffectAnalyzer
    ) -> StatementAnalysis {
        StatementAnalysis(
            effects: statements.map { effects.effect(of: $0, context: context) }, verdict: .uncacheable(refusal),
            binding: statements.map { effects.binding(of: $0, context: context) }.max(),
            draws: SessionDraws(of: statements))
    }

    private func remember(
        _ analysis: StatementAnalysis, for key: Key, by analyzer: StatementAnalyzer?, in state: inout State
    ) {
        // Another catalog may have come meanwhile.
        guard state.analyzer?.generation == analyzer?.generation,
            state.analyzer?.declared == analyzer?.declared, state.known[key] == nil
        else { return }
        guard key.text.count <= limits.totalBytes else { return }
        while state.known.count >= limits.count || state.bytes + key.text.count > limits.totalBytes {
            guard !state.order.isEmpty else { return }
            let half = (state.order.count + 1) / 2
            for old in state.order.prefix(half) {
                state.known[old] = nil
                state.bytes -= old.text.count
            }
            state.order.removeFirst(half)
        }
        state.known[key] = analysis
        state.order.append(key)
        state.bytes += key.text.count
    }
}
