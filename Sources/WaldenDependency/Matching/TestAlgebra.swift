extension Test {
    /// Equal to one of `constants`; nil when one of them is unknown.
    static func isIn(_ constants: [Constant]) -> Test? {
        var values: [Value] = []
        for constant in constants {
            switch constant {
            case .unknown: return nil
            case .null, .gap: break
            case .value(let value): values.append(value)
            }
        }
        return isIn(unsorted: values)
    }

    static func isIn(unsorted values: [Value]) -> Test {
        if values.isEmpty { return .never }
        if values.count == 1 { return .isIn(values) }
        var sorted = values.sorted()
        var kept = 1
        for index in 1..<sorted.count where sorted[index] != sorted[kept - 1] {
            sorted[kept] = sorted[index]
            kept += 1
        }
        sorted.removeLast(sorted.count - kept)
        return .isIn(sorted)
    }

    /// Whether `intersection` can express both as one test.
    func merges(with other: Test) -> Bool {
        switch (self, other) {
        case (.never, _), (_, .never), (.isIn, _), (_, .isIn): true
        case (.isWithin, .isWithin), (.isNull, _), (_, .isNull), (.isNotNull, _), (_, .isNotNull): true
        case (.isNot(let left), .isNot(let right)): left == right
        case (.isNot, .isWithin), (.isWithin, .isNot): false
        }
    }

    /// What satisfies both; only for tests that merge.
    func intersection(_ other: Test) -> Test {
        switch (self, other) {
        case (.never, _), (_, .never): .never
        case (.isNull, .isNull): .isNull
        case (.isNull, _), (_, .isNull): .never
        case (.isNotNull, let test), (let test, .isNotNull): test
        case (.isIn(let values), let test), (let test, .isIn(let values)):
            Test.isIn(unsorted: values.filter { test.evaluate(.known($0)) == .yes })
        case (.isWithin(let lower, let upper), .isWithin(let otherLower, let otherUpper)):
            Test.interval(lower.tighterLower(otherLower), upper.tighterUpper(otherUpper))
        case (.isNot, _), (.isWithin, _): self
        }
    }

    private static func interval(_ lower: Bound, _ upper: Bound) -> Test {
        guard let low = lower.value, let high = upper.value else { return .isWithin(lower: lower, upper: upper) }
        if high < low { return .never }
        if low < high { return .isWithin(lower: lower, upper: upper) }
        guard case .inclusive = lower, case .inclusive = upper else { return .never }
        return .isIn([low])
    }
}

extension Bound {
    var value: Value? {
        switch self {
        case .unbounded: nil
        case .inclusive(let value), .exclusive(let value): value
        }
    }

    func tighterLower(_ other: Bound) -> Bound {
        guard let mine = value else { return other }
        guard let theirs = other.value else { return self }
        if mine == theirs { return isExclusive ? self : other }
        return mine > theirs ? self : other
    }

    func tighterUpper(_ other: Bound) -> Bound {
        guard let mine = value else { return other }
        guard let theirs = other.value else { return self }
        if mine == theirs { return isExclusive ? self : other }
        return mine < theirs ? self : other
    }

    private var isExclusive: Bool {
        if case .exclusive = self { true } else { false }
    }
}
