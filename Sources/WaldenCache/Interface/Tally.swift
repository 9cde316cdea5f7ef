/// Counts by label.
public struct Tally<Label>: Hashable, Sendable
where Label: CaseIterable & RawRepresentable & Hashable & Sendable, Label.RawValue == Int {
    private var counts = [Int](repeating: 0, count: Label.allCases.count)

    public init() {}

    public internal(set) subscript(_ label: Label) -> Int {
        get { counts[label.rawValue] }
        set { counts[label.rawValue] = newValue }
    }

    public var total: Int { counts.reduce(0, +) }

    mutating func add(_ other: Tally) {
        for index in counts.indices { counts[index] += other.counts[index] }
    }
}
