/// A constant as a column of some family sees it.
enum Constant: Hashable, Sendable {
    case value(Value)
    /// No value of the family, but between two neighbours of it: 1.5 beside integers lies above 1 and below 2. Nil:
    /// below all, or above all.
    case gap(lower: Value?, upper: Value?)
    case null
    /// Walden cannot tell what PostgreSQL would compare with.
    case unknown
}

enum Comparison: Hashable, Sendable {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual

    init?(operator name: String) {
        switch name {
        case "=": self = .equal
        case "<>": self = .notEqual
        case "<": self = .less
        case "<=": self = .lessOrEqual
        case ">": self = .greater
        case ">=": self = .greaterOrEqual
        default: return nil
        }
    }

    /// `b op a` for `a op b`.
    var mirrored: Comparison {
        switch self {
        case .equal, .notEqual: self
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        }
    }

    /// True where this is false, both null for a null.
    var negated: Comparison {
        switch self {
        case .equal: .notEqual
        case .notEqual: .equal
        case .less: .greaterOrEqual
        case .lessOrEqual: .greater
        case .greater: .lessOrEqual
        case .greaterOrEqual: .less
        }
    }

    /// `column self constant` as a test of the column; nil when it cannot be told.
    func test(against constant: Constant, isOrdered: Bool) -> Test? {
        switch constant {
        case .unknown: return nil
        case .null: return .never
        case .value(let value):
            switch self {
            case .equal: return .isIn([value])
            case .notEqual: return .isNot(value)
            case _ where !isOrdered: return nil
            case .less: return .isWithin(lower: .unbounded, upper: .exclusive(value))
            case .lessOrEqual: return .isWithin(lower: .unbounded, upper: .inclusive(value))
            case .greater: return .isWithin(lower: .exclusive(value), upper: .unbounded)
            case .greaterOrEqual: return .isWithin(lower: .inclusive(value), upper: .unbounded)
            }
        case .gap(let lower, let upper):
            switch self {
            case .equal: return .never
            case .notEqual: return .isNotNull
            case _ where !isOrdered: return nil
            case .less, .lessOrEqual:
                guard let lower else { return .never }
                return upper == nil ? .isNotNull : .isWithin(lower: .unbounded, upper: .inclusive(lower))
            case .greater, .greaterOrEqual:
                guard let upper else { return .never }
                return lower == nil ? .isNotNull : .isWithin(lower: .inclusive(upper), upper: .unbounded)
            }
        }
    }
}
