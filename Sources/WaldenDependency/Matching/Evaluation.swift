extension Test {
    /// Whether a column with this value satisfies the test. Null satisfies `isNull` alone.
    public func evaluate(_ field: FieldValue) -> Truth {
        switch field {
        case .null: self == .isNull ? .yes : .no
        case .unknown: self == .never ? .no : .unknown
        case .known(let value): holds(for: value) ? .yes : .no
        }
    }

    private func holds(for value: Value) -> Bool {
        switch self {
        case .isIn(let values): values.containsSorted(value)
        case .isWithin(let lower, let upper): lower.admitsAbove(value) && upper.admitsBelow(value)
        case .isNot(let other): value != other
        case .isNull, .never: false
        case .isNotNull: true
        }
    }
}

extension [Value] {
    /// Binary search in ascending values.
    fileprivate func containsSorted(_ value: Value) -> Bool {
        if count == 1 { return self[0] == value }
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == value
    }
}

extension Bound {
    /// Whether `value` is on the inner side of this lower bound.
    fileprivate func admitsAbove(_ value: Value) -> Bool {
        switch self {
        case .unbounded: true
        case .inclusive(let bound): value >= bound
        case .exclusive(let bound): value > bound
        }
    }

    /// Whether `value` is on the inner side of this upper bound.
    fileprivate func admitsBelow(_ value: Value) -> Bool {
        switch self {
        case .unbounded: true
        case .inclusive(let bound): value <= bound
        case .exclusive(let bound): value < bound
        }
    }
}

extension Predicate {
    /// Whether a row satisfies the predicate, given what is known of its columns.
    public func evaluate(_ field: (ColumnReference) -> FieldValue) -> Truth {
        var result = Truth.no
        for alternative in alternatives {
            switch alternative.evaluate(field) {
            case .yes: return .yes
            case .unknown: result = .unknown
            case .no: break
            }
        }
        return result
    }
}

extension Conjunction {
    public func evaluate(_ field: (ColumnReference) -> FieldValue) -> Truth {
        var result = Truth.yes
        for term in terms {
            switch term.test.evaluate(field(term.column)) {
            case .no: return .no
            case .unknown: result = .unknown
            case .yes: break
            }
        }
        return result
    }
}
