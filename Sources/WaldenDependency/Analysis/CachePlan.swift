import WaldenCore

/// The dependencies of a cacheable statement with its parameters left open.
///
/// Made once per statement; `bind` fills in one execution's values and shares everything else.
public final class CachePlan: Sendable {
    /// The highest number of a parameter in the text.
    public let parameterCount: Int
    /// One per occurrence of a relation, and one more per ancestor and descendant of it.
    let tables: [TableTemplate]
    /// Parameters that are only compared with columns of types that know no special date words.
    let plainParameters: Set<Int>
    /// Where the result shows keys of the rows it was made of; nil where it does not, or they would tell nothing.
    let resultKeys: ResultKeyPlan?
    /// Set when no table's predicate has a parameter.
    private let constant: Dependencies?

    init(
        parameterCount: Int, tables: [TableTemplate], plainParameters: Set<Int>, resultKeys: ResultKeyPlan? = nil
    ) {
        self.parameterCount = parameterCount
        self.tables = tables
        self.plainParameters = plainParameters
        self.resultKeys = resultKeys
        constant =
            tables.allSatisfy(\.isConstant)
            ? Dependencies(tables: tables.map { $0.bound([]) }, resultKeys: resultKeys) : nil
    }

    /// Of a statement that reads nothing.
    package convenience init() {
        self.init(parameterCount: 0, tables: [], plainParameters: [])
    }

    /// What one execution depends on.
    ///
    /// - Throws: `Refusal` when the values make the result depend on the time of day (`'now'` …), or when there are
    ///   fewer than the text names.
    public func bind(_ parameters: [BoundParameter]) throws(Refusal) -> Dependencies {
        guard parameters.count >= parameterCount else {
            throw Refusal(.parameter, "the statement has more parameters than values were given")
        }
        for (index, parameter) in parameters.enumerated() {
            try parameter.refuseUnstable(number: index + 1, isPlain: plainParameters.contains(index + 1))
        }
        if let constant { return constant }
        return Dependencies(tables: tables.map { $0.bound(parameters) }, resultKeys: resultKeys)
    }
}

extension BoundParameter {
    /// Refuses values whose meaning is not fixed by their bytes.
    ///
    /// - Parameter isPlain: It stands only where it is not read as a date.
    func refuseUnstable(number: Int, isPlain: Bool) throws(Refusal) {
        if type == .timetz {
            throw Refusal(.specialDate, "parameter $\(number) is a time with time zone, read by the current date")
        }
        if TypeProperties.isCatalogReference(type) {
            throw Refusal(.parameter, "parameter $\(number) looks a name up in the catalog")
        }
        guard !isPlain, let bytes, !(isBinary && TypeProperties.hasNoText(type)), SpecialDates.occur(in: bytes) else {
            return
        }
        throw Refusal(.specialDate, "parameter $\(number) holds now, today, tomorrow or yesterday")
    }
}
