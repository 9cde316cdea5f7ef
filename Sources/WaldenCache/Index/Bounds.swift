import WaldenDependency

/// The order of interval bounds over a column's values.
extension Bound {
    /// As a lower bound: whether `value` lies on its inner side.
    @inline(__always)
    func admitsFromBelow(_ value: Value) -> Bool {
        switch self {
        case .unbounded: true
        case .inclusive(let bound): bound <= value
        case .exclusive(let bound): bound < value
        }
    }

    /// As an upper bound: whether `value` lies on its inner side.
    @inline(__always)
    func admitsFromAbove(_ value: Value) -> Bool {
        switch self {
        case .unbounded: true
        case .inclusive(let bound): value <= bound
        case .exclusive(let bound): value < bound
        }
    }

    /// As lower bounds: negative when `left` admits more, zero when alike.
    static func compareStarts(_ left: Bound, _ right: Bound) -> Int {
        compare(left, right, unbounded: -1, exclusive: 1)
    }

    /// As upper bounds: positive when `left` admits more, zero when alike.
    static func compareEnds(_ left: Bound, _ right: Bound) -> Int {
        compare(left, right, unbounded: 1, exclusive: -1)
    }

    static func laterStart(_ left: Bound, _ right: Bound) -> Bound {
        compareStarts(left, right) < 0 ? right : left
    }

    static func earlierEnd(_ left: Bound, _ right: Bound) -> Bound {
        compareEnds(left, right) > 0 ? right : left
    }

    static func laterEnd(_ left: Bound, _ right: Bound) -> Bound {
        compareEnds(left, right) < 0 ? right : left
    }

    private static func compare(_ left: Bound, _ right: Bound, unbounded: Int, exclusive: Int) -> Int {
        guard let (value, isExclusive) = left.parts else { return right == .unbounded ? 0 : unbounded }
        guard let (other, otherIsExclusive) = right.parts else { return -unbounded }
        if value != other { return value < other ? -1 : 1 }
        if isExclusive == otherIsExclusive { return 0 }
        return isExclusive ? exclusive : -exclusive
    }

    private var parts: (value: Value, isExclusive: Bool)? {
        switch self {
        case .unbounded: nil
        case .inclusive(let value): (value, false)
        case .exclusive(let value): (value, true)
        }
    }
}
