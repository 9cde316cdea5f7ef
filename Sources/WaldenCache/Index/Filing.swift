import WaldenCore
import WaldenDependency

/// How one alternative of a predicate is filed: equality columns, at most one range, and what is left to be checked
/// once a candidate has been found that way.
struct Filing: Hashable, Sendable {
    /// What a column must equal.
    enum Key: Hashable, Sendable {
        case value(Value)
        case null

        var hash: UInt64 {
            switch self {
            case .value(let value): ValueHash.of(value)
            case .null: ValueHash.null
            }
        }
    }

    struct Equality: Hashable, Sendable {
        let column: ColumnReference
        let keys: [Key]
    }

    struct Range: Hashable, Sendable {
        let column: ColumnReference
        var lower: Bound
        var upper: Bound
    }

    /// An alternative over several columns is filed once for each combination of their values, up to this many times.
    static let maxCombinations = 64
    /// One column's list alone may be longer.
    static let maxKeys = 4096
    static let maxColumns = 8

    private(set) var equalities: [Equality] = []
    private(set) var range: Range?
    private(set) var residual: [Term] = []

    /// Where no row finds it, only the relation's name.
    static let byRelationAlone = Filing(
        residual: [Term(column: ColumnReference(name: "", type: .unspecified, family: .boolean), test: .never)])

    private init(residual: [Term]) {
        self.residual = residual
    }

    /// Nil when no row satisfies the alternative. `budget` bounds how often it may be filed.
    init?(_ alternative: Conjunction, budget: Int = Filing.maxKeys) {
        if alternative.terms.contains(where: { $0.test == .never || $0.test == .isIn([]) }) { return nil }
        if let single = Self(singleKey: alternative, budget: budget) {
            self = single
            return
        }
        var rest = alternative.terms
        takeEqualities(from: &rest, budget: budget)
        takeRange(from: &rest)
        residual = rest
    }

    /// The commonest case, without the bookkeeping: one column equal to one value.
    private init?(singleKey alternative: Conjunction, budget: Int) {
        guard alternative.terms.count == 1, budget > 0, case .isIn(let values) = alternative.terms[0].test,
            values.count == 1
        else { return nil }
        equalities = [Equality(column: alternative.terms[0].column, keys: [.value(values[0])])]
    }

    /// How often the alternative is filed.
    var combinations: Int { equalities.reduce(1) { $0 * $1.keys.count } }

    /// Takes the columns with the fewest values first, as long as the combinations stay few.
    private mutating func takeEqualities(from terms: inout [Term], budget: Int) {
        let candidates = terms.indices.filter { terms[$0].keys != nil }
            .sorted { (terms[$0].keys?.count ?? 0, $0) < (terms[$1].keys?.count ?? 0, $1) }
        var taken: Set<Int> = []
        var combinations = 1
        for index in candidates {
            let column = terms[index].column
            guard let keys = terms[index].keys, equalities.count < Self.maxColumns,
                !equalities.contains(where: { $0.column == column })
            else { continue }
            let limit = min(budget, equalities.isEmpty ? Self.maxKeys : Self.maxCombinations)
            guard combinations * keys.count <= limit else { continue }
            combinations *= keys.count
            equalities.append(Equality(column: column, keys: keys))
            taken.insert(index)
        }
        terms = terms.indices.filter { !taken.contains($0) }.map { terms[$0] }
    }

    /// Takes the intervals of one column, preferring one that is bounded on both sides. When there is none, a list of
    /// values too long for equality serves as the interval that spans it, and stays to be checked.
    private mutating func takeRange(from terms: inout [Term]) {
        var ranges: [Range] = []
        for term in terms {
            guard case .isWithin(let lower, let upper) = term.test, lower != .unbounded || upper != .unbounded else {
                continue
            }
            if let index = ranges.firstIndex(where: { $0.column == term.column }) {
                ranges[index].lower = Bound.laterStart(ranges[index].lower, lower)
                ranges[index].upper = Bound.earlierEnd(ranges[index].upper, upper)
            } else {
                ranges.append(Range(column: term.column, lower: lower, upper: upper))
            }
        }
        if let best = ranges.first(where: { $0.lower != .unbounded && $0.upper != .unbounded }) ?? ranges.first {
            range = best
            terms.removeAll { term in
                if case .isWithin = term.test { return term.column == best.column }
                return false
            }
        } else if let list = terms.first(where: { $0.spanOfValues != nil }), let span = list.spanOfValues {
            range = span
        }
    }
}

extension Term {
    /// The values that the column must equal, if the term is of that kind.
    fileprivate var keys: [Filing.Key]? {
        switch test {
        case .isIn(let values): values.map { .value($0) }
        case .isNull: [.null]
        case .isWithin, .isNot, .isNotNull, .never: nil
        }
    }

    fileprivate var spanOfValues: Filing.Range? {
        guard case .isIn(let values) = test, let first = values.first, let last = values.last else { return nil }
        return Filing.Range(column: column, lower: .inclusive(first), upper: .inclusive(last))
    }
}
