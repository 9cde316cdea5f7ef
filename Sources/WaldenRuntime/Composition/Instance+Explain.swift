import WaldenAdmin
import WaldenCache
import WaldenCore
import WaldenDependency
import WaldenPostgres
import WaldenSQLParser

/// What the instance tells of single statements.
///
/// What may be shown: the asker's own text comes back in its predicates, constants included. Of what others sent there
/// are only shapes, which hold no constants. Of what others changed there are tables, columns and positions; the keys of
/// changed rows only where `explain.values` allows it.
extension Instance {
    var questions: AdminQuestions {
        AdminQuestions(
            explain: { self.explain($0) }, shapes: { self.cache.shapes(limit: $0).map(ShapeReport.init) },
            lag: { self.nodes.lagHistories }, health: { self.health($0) })
    }

    private func explain(_ question: ExplainQuestion) -> ExplainReport {
        let text = Array(question.sql.utf8)
        let user = question.user ?? configuredPrimary.user ?? ""
        let context = SessionContext(searchPath: question.searchPath, loginUser: user, user: user)
        let catalog = statements.catalog
        let analysis = statements.analysis(of: text.span.bytes, context: context)
        let words = Explanation(of: analysis, in: catalog)
        var report = ExplainReport()
        report.cacheable = words.refusal == nil
        report.refusal = words.refusal?.rule.rawValue
        report.explanation = words.refusal?.explanation
        report.effects = words.effects
        report.route = words.route
        report.tables = words.tables.map { table in
            var shown = ExplainReport.Table()
            shown.name = table.name
            shown.columns = table.columns
            shown.rows = table.predicate
            shown.matching = table.matching
            return shown
        }
        report.configurationRule = analysis.policy?.rule.map(\.description)
        let figures = addShape(of: analysis, text, catalog, to: &report)
        report.notKeptBecause = obstacles(to: analysis, figures)
        return report
    }

    private func addShape(
        of analysis: StatementAnalysis, _ text: [UInt8], _ catalog: CatalogSnapshot?, to report: inout ExplainReport
    ) -> ShapeFigures? {
        guard let id = analysis.policy?.shape.id ?? statements.policies.shape(of: text)?.id else { return nil }
        report.shapeID = id.description
        report.invalidations = cache.invalidations(of: id).map { InvalidationReport($0, in: catalog) }
        let figures = cache.shape(id)
        report.shape = figures.map(ShapeReport.init)
        return figures
    }

    /// Most fundamental first.
    private func obstacles(to analysis: StatementAnalysis, _ figures: ShapeFigures?) -> [String] {
        var reasons = obstacles(cache.statistics).map { "\($0.source.rawValue): \($0.reason)" }
        if case .uncacheable(let refusal) = analysis.verdict {
            reasons.append("\(refusal.rule.rawValue): \(refusal.explanation)")
        }
        if analysis.policy?.rule?.caching == .forbid { reasons.append("forbidden: by the rule named") }
        if let figures, figures.isQuarantined {
            reasons.append("quarantined: an audit found a kept result of this shape wrong; a restart frees it")
        }
        if let figures, figures.isDeclined, analysis.policy?.rule?.caching != .force {
            reasons.append("does_not_pay: results of this shape cost more than they save, tried again by sampling")
        }
        return reasons
    }
}

extension CacheRule {
    /// Its name and what it says beside the defaults.
    fileprivate var description: String {
        var parts = ["cache: \(caching.rawValue)"]
        if let consistency { parts.append("consistency: \(consistency.rawValue)") }
        if let maxAge { parts.append("max_age: \(Quantity.describe(maxAge))") }
        if let maxResultBytes { parts.append("max_result_bytes: \(Quantity.describe(bytes: maxResultBytes))") }
        return "\(name) (\(parts.joined(separator: ", ")))"
    }
}

extension ShapeReport {
    init(_ figures: ShapeFigures) {
        self.init()
        id = figures.id.description
        text = figures.text
        hits = figures.hits
        misses = figures.misses
        fillsBegun = figures.fillsBegun
        fillsKept = figures.fillsKept
        fillsTainted = figures.fillsTainted
        fillsDeclined = figures.fillsDeclined
        invalidations = figures.dropped.labelled(\.label)
        executionSeconds = figures.executionNanoseconds / 1e9
        resultBytes = figures.resultBytes
        savedSeconds = figures.savedNanoseconds / 1e9
        benefit = figures.benefit
        standing = figures.isQuarantined ? "quarantined" : figures.isDeclined ? "declined" : "kept"
    }
}

extension WaldenAdmin.InvalidationReport {
    init(_ record: InvalidationRecord, in catalog: CatalogSnapshot?) {
        self.init()
        lsn = record.lsn.description
        transaction = record.transaction.rawValue
        table =
            catalog?.relation(record.relation).map { "\($0.schema).\($0.name)" } ?? record.relation.description
        change = record.change.rawValue
        cause = record.cause.label
        key = record.key
        var ways: [String] = []
        if !record.equalities.isEmpty { ways.append("by equality on " + record.equalities.joined(separator: ", ")) }
        if let range = record.range { ways.append("by range on \(range)") }
        matched = ways.isEmpty ? "with every row of the table" : ways.joined(separator: " and ")
    }
}
