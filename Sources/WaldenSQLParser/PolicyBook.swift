import Synchronization
import WaldenCore
public import WaldenDependency

/// Finds out how cacheable statements are to be treated: once for each distinct text, off the path of hits.
///
/// Shapes are shared by the texts that have them. Their number is bounded: a full table is emptied, which only costs
/// that they are normalised again.
public final class PolicyBook: Sendable {
    private struct State {
        var shapes: [ShapeID: StatementShape] = [:]
        var rules = RuleSet()
        var revision: UInt64 = 0
    }

    private let state = Mutex(State())
    private let limit: Int

    /// - Parameter limit: Shapes kept at most.
    public init(limit: Int = 4_096) {
        self.limit = limit
    }

    /// What was concluded before holds no more: see `StatementCatalog.replaceRules`.
    func replaceRules(_ rules: RuleSet) {
        state.withLock { state in
            state.rules = rules
            state.revision += 1
        }
    }

    /// Grows with each change of the rules.
    var revision: UInt64 { state.withLock { $0.revision } }

    /// The same analysis with its policy, if it is cacheable.
    func governed(
        _ analysis: StatementAnalysis, text: [UInt8], context: SessionContext, catalog: CatalogSnapshot?
    ) -> StatementAnalysis {
        guard case .cacheable(let plan) = analysis.verdict, let catalog, let shape = shape(of: text) else {
            return analysis
        }
        let rules = state.withLock { $0.rules }
        let rule = rules.rule(for: plan, in: catalog, role: context.user, shape: shape)
        let policy = StatementPolicy(shape: shape, rule: rule, audit: plan.auditGrade(of: shape, in: catalog))
        return analysis.governed(by: policy)
    }

    /// Nil when the text cannot be parsed.
    public func shape(of text: [UInt8]) -> StatementShape? {
        guard !text.contains(0), let id = ShapeReader.id(of: text) else { return nil }
        if let known = state.withLock({ $0.shapes[id] }) { return known }
        let shape = StatementShape(id: id, normalized: ShapeReader.normalized(text))
        return state.withLock { state in
            if let known = state.shapes[id] { return known }
            if state.shapes.count >= limit { state.shapes.removeAll() }
            state.shapes[id] = shape
            return shape
        }
    }
}
