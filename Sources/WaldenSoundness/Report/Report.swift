import Glibc
import WaldenCache

/// Prints what a run found.
enum Report {
    static func line(_ text: String = "") {
        print(text)
        fflush(nil)
    }

    static func show(_ tally: RunTally, seed: UInt64, seconds: Double) {
        line()
        line(
            "\(tally.worlds) worlds, \(tally.queries) queries, \(tally.transactions) transactions "
                + "(\(tally.refusedTransactions) more refused by the server), \(Int(seconds)) s, "
                + "\(Int(Double(tally.sum().pairs) / max(seconds, 0.001))) pairs/s")
        let refused = tally.uncacheable.values.reduce(0, +)
        line(
            "replaced: \(tally.invalid) queries not valid, \(refused) not cacheable ("
                + tally.uncacheable.sorted { ($0.value, $0.key) > ($1.value, $1.key) }.map { "\($0.key) \($0.value)" }
                .joined(separator: ", ") + "); answers not kept: \(tally.unkept)")
        line()
        line(
            "A pair is a query whose answer the cache holds and a transaction. It touches when the transaction changed")
        line("a relation that the query reads. Needless: dropped, and the answer is the same.")
        line()
        line(
            column("query", 8) + column("identity", 9)
                + ["pairs", "touching", "changed", "affected", "missed", "needless", "row", "unknown", "whole"]
                .map { column($0, 10, right: true) }.joined()
                + ["/pairs", "/touching", "/affected"].map { column($0, 11, right: true) }.joined())
        for shape in QueryShape.allCases {
            for isFull in [true, false] {
                row(shape.rawValue, isFull, tally.sum { $0.shape == shape && $0.hasFullIdentity == isFull })
            }
        }
        row("all", true, tally.sum { $0.hasFullIdentity })
        row("all", false, tally.sum { !$0.hasFullIdentity })
        row("all", nil, tally.sum())
        let sum = tally.sum()
        line()
        line(
            "soundness: seed=\(seed) pairs=\(sum.pairs) changed=\(sum.changed) affected=\(sum.affected) "
                + "missed=\(sum.missed) needless=\(sum.needless) contradictions=\(tally.contradictions)")
    }

    private static func row(_ name: String, _ isFull: Bool?, _ tally: PairTally) {
        guard tally.pairs > 0 else { return }
        let causes = [InvalidationCause.row, .unknownOldRow, .wholeRelation].map { tally.needlessByCause[$0] ?? 0 }
        let counts =
            [tally.pairs, tally.touching, tally.changed, tally.affected, tally.missed, tally.needless] + causes
        let shares = [tally.pairs, tally.touching, tally.affected].map { share(tally.needless, $0) }
        line(
            column(name, 8) + column(isFull.map { $0 ? "full" : "default" } ?? "any", 9)
                + counts.map { column(String($0), 10, right: true) }.joined()
                + shares.map { column($0, 11, right: true) }.joined())
    }

    /// In percent with one decimal.
    private static func share(_ part: Int, _ whole: Int) -> String {
        guard whole > 0 else { return "-" }
        let tenths = (part * 2000 + whole) / (2 * whole)
        return "\(tenths / 10).\(tenths % 10) %"
    }

    private static func column(_ text: String, _ width: Int, right: Bool = false) -> String {
        let space = String(repeating: " ", count: max(1, width - text.count))
        return right ? space + text : text + space
    }
}
