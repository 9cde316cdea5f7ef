import WaldenCore

/// A constant side of a comparison: known when the statement is analysed, or a parameter.
enum Operand: Hashable, Sendable {
    case constant(Constant)
    case parameter(ParameterUse)
}

/// How one parameter is compared with a column.
struct ParameterUse: Hashable, Sendable {
    /// From 0.
    let index: Int
    /// The type that the server infers when the client names none; nil when that cannot be told from the text.
    let inferredType: TypeID?
    /// The type to which the text casts it.
    let castType: TypeID?
}

/// `column op operand`, before parameters are known.
enum TestTemplate: Hashable, Sendable {
    case compare(Comparison, Operand)
    /// Equal to one of these.
    case isIn([Operand])
    /// Equal to one element of an array parameter.
    case isInArray(ParameterUse)
    case isNull
    case isNotNull
    /// Matches, or does not match, a LIKE pattern.
    case like(LikePattern, matches: Bool)
    /// The same with a parameter.
    case likeParameter(ParameterUse, escape: UInt8?, matches: Bool)
}

struct TermTemplate: Hashable, Sendable {
    let column: ColumnReference
    let test: TestTemplate

    /// The test with the parameters' values; nil when nothing is known of it.
    func bound(_ parameters: [BoundParameter]) -> Test? {
        switch test {
        case .isNull: .isNull
        case .isNotNull: .isNotNull
        case .compare(let comparison, let operand):
            comparison.test(against: constant(operand, parameters), isOrdered: column.family.isOrdered)
        case .isIn(let operands):
            Test.isIn(operands.map { constant($0, parameters) })
        case .isInArray(let use):
            parameters[use.index].elements(for: column, use).flatMap { Test.isIn($0) }
        case .like(let pattern, let matches): pattern.test(matches: matches)
        case .likeParameter(let use, let escape, let matches):
            parameters[use.index].like(use, escape: escape, matches: matches)
        }
    }

    private func constant(_ operand: Operand, _ parameters: [BoundParameter]) -> Constant {
        switch operand {
        case .constant(let constant): constant
        case .parameter(let use): parameters[use.index].constant(for: column, use)
        }
    }

    var isConstant: Bool {
        switch test {
        case .isNull, .isNotNull, .like: true
        case .compare(_, let operand): operand.isConstant
        case .isIn(let operands): operands.allSatisfy(\.isConstant)
        case .isInArray, .likeParameter: false
        }
    }
}

extension Operand {
    var isConstant: Bool {
        if case .constant = self { true } else { false }
    }
}

/// A predicate in disjunctive form with open parameters: alternatives of terms that all hold.
struct PredicateTemplate: Hashable, Sendable {
    let alternatives: [[TermTemplate]]

    static let everyRow = PredicateTemplate(alternatives: [[]])
    static let noRow = PredicateTemplate(alternatives: [])

    func bound(_ parameters: [BoundParameter]) -> Predicate {
        var conjunctions: [Conjunction] = []
        for alternative in alternatives {
            guard let conjunction = Self.bound(alternative, parameters) else { continue }
            if conjunction.terms.isEmpty { return .everyRow }
            conjunctions.append(conjunction)
        }
        return Predicate(alternatives: conjunctions)
    }

    /// Nil when no row satisfies the terms.
    private static func bound(_ terms: [TermTemplate], _ parameters: [BoundParameter]) -> Conjunction? {
        var bound: [Term] = []
        for template in terms {
            guard let test = template.bound(parameters) else { continue }
            if test == .never { return nil }
            guard let index = bound.firstIndex(where: { $0.column == template.column && $0.test.merges(with: test) })
            else {
                bound.append(Term(column: template.column, test: test))
                continue
            }
            let merged = bound[index].test.intersection(test)
            if merged == .never { return nil }
            bound[index] = Term(column: template.column, test: merged)
        }
        return Conjunction(terms: bound)
    }

    var isConstant: Bool { alternatives.allSatisfy { $0.allSatisfy(\.isConstant) } }
}

/// What one occurrence of a relation contributes, before parameters are known.
struct TableTemplate: Hashable, Sendable {
    let relation: RelationID
    let columns: Set<String>?
    let predicate: PredicateTemplate
    /// Which key of the plan's `resultKeys` is this table's.
    var resultKey: Int?

    func bound(_ parameters: [BoundParameter]) -> TableDependency {
        TableDependency(
            relation: relation, columns: columns, predicate: predicate.bound(parameters), resultKey: resultKey)
    }

    var isConstant: Bool { predicate.isConstant }
}
