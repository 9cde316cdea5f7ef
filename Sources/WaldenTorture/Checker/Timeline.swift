/// The versions of one row, in their order, and from when each was certainly visible.
struct Timeline: Sendable {
    struct Step: Sendable {
        var version: Int
        var state: RowState
        /// The transaction that wrote it; nil for the row as it was at the beginning.
        var write: Int?
        /// Nobody can have seen it earlier.
        var earliest: Moment
        /// From here on every new snapshot contains it or a later one: its client was told, or somebody had seen it.
        var visible: Moment
        var isAborted: Bool
    }

    private(set) var steps: [Step]

    init(version: Int, state: RowState) {
        steps = [
            Step(version: version, state: state, write: nil, earliest: .min, visible: .min, isAborted: false)
        ]
    }

    mutating func add(_ effect: Effect, of number: Int, _ write: Write) {
        steps.append(
            Step(
                version: effect.version, state: effect.state, write: number, earliest: write.commitSent,
                visible: write.outcome == .committed ? write.completed : .max,
                isAborted: write.outcome == .aborted))
    }

    /// To be called when all are there.
    mutating func sort() {
        steps.sort { $0.version < $1.version }
    }

    mutating func seen(_ index: Int, at moment: Moment) {
        steps[index].visible = min(steps[index].visible, moment)
    }

    /// Who sees a version sees no earlier one any more. To be called when all sightings are there.
    mutating func settle() {
        var least = Moment.max
        for index in steps.indices.reversed() {
            least = min(least, steps[index].visible)
            steps[index].visible = least
        }
    }

    /// Where a version stands; nil when there is none of this number.
    func index(of version: Int) -> Int? {
        let index = partition { $0.version < version }
        return index < steps.count && steps[index].version == version ? index : nil
    }

    /// The newest version that everybody could see at this moment.
    func newest(at moment: Moment) -> Int {
        max(0, partition { $0.visible <= moment } - 1)
    }

    /// The newest version that somebody may have seen by this moment and that satisfies the condition; nil when none does.
    func newest(possibleAt moment: Moment, where condition: (RowState) -> Bool) -> Int? {
        var index = partition { $0.earliest <= moment }
        while index > 0 {
            index -= 1
            if !steps[index].isAborted, condition(steps[index].state) { return index }
        }
        return nil
    }

    /// The number of steps at the front for which the condition holds: those come first.
    private func partition(_ isBefore: (Step) -> Bool) -> Int {
        var low = 0
        var high = steps.count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(steps[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
