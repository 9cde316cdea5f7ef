public import WaldenCore

/// A column that a predicate tests, found in row images by its name.
public struct ColumnReference: Hashable, Sendable {
    public let name: String
    /// The column's type when the statement was analysed; an image whose column has another type is unknown.
    public let type: TypeID
    public let family: ValueFamily

    public init(name: String, type: TypeID, family: ValueFamily) {
        self.name = name
        self.type = type
        self.family = family
    }
}

/// A bound of an interval of values.
public enum Bound: Hashable, Sendable {
    case unbounded
    case inclusive(Value)
    case exclusive(Value)
}

/// One comparison of one column with constants. Never true for null except `isNull`.
public enum Test: Hashable, Sendable {
    /// Not empty, ascending, without duplicates.
    case isIn([Value])
    case isWithin(lower: Bound, upper: Bound)
    case isNot(Value)
    case isNull
    case isNotNull
    /// No value satisfies it, e.g. `c = NULL`.
    case never
}

public struct Term: Hashable, Sendable {
    public let column: ColumnReference
    public let test: Test

    public init(column: ColumnReference, test: Test) {
        self.column = column
        self.test = test
    }
}

/// Terms that all hold. Without terms: every row.
public struct Conjunction: Hashable, Sendable {
    public let terms: [Term]

    public init(terms: [Term]) {
        self.terms = terms
    }
}

/// A necessary condition on the rows of one relation that can influence a result: at least one alternative holds.
/// Without alternatives no row influences it (`WHERE id = NULL`).
///
/// In disjunctive form so that an index can file each alternative under its most selective term. Making it weaker
/// (dropping terms, adding alternatives) is always sound; `everyRow` is the weakest.
public struct Predicate: Hashable, Sendable {
    public let alternatives: [Conjunction]

    public init(alternatives: [Conjunction]) {
        self.alternatives = alternatives
    }

    public static let everyRow = Predicate(alternatives: [Conjunction(terms: [])])
}

/// Three-valued: whether a row satisfies a predicate, as far as its image tells.
public enum Truth: Hashable, Sendable {
    case yes, no, unknown

    /// Unknown counts as a match: an entry may be dropped needlessly, never kept wrongly.
    public var mayHold: Bool { self != .no }
}

/// What one occurrence of a base relation contributes to a result.
public struct TableDependency: Hashable, Sendable {
    public let relation: RelationID
    /// Names of the columns that the statement reads; nil when any column may matter.
    public let columns: Set<String>?
    public let predicate: Predicate
    /// Which key of `Dependencies.resultKeys` shows the rows that contributed; nil when none does.
    public let resultKey: Int?

    public init(relation: RelationID, columns: Set<String>?, predicate: Predicate, resultKey: Int? = nil) {
        self.relation = relation
        self.columns = columns
        self.predicate = predicate
        self.resultKey = resultKey
    }
}

/// All that a result depends on: a transaction affects the result only if it changes a row that may satisfy one of
/// these predicates. A relation may occur more than once.
public struct Dependencies: Hashable, Sendable {
    public let tables: [TableDependency]
    /// Where the result shows which rows contributed, if it does and that tells more than the predicates.
    public let resultKeys: ResultKeyPlan?

    public init(tables: [TableDependency], resultKeys: ResultKeyPlan? = nil) {
        self.tables = tables
        self.resultKeys = resultKeys
    }
}
