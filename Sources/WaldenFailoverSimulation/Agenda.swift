import WaldenCore

/// Everything that is to happen, in order: the simulated clock.
struct Agenda {
    private struct Item {
        let at: Instant
        let number: UInt64
        let event: Event

        func isBefore(_ other: Item) -> Bool { at == other.at ? number < other.number : at < other.at }
    }

    /// A binary heap, the next on top.
    private var heap: [Item] = []
    private var count: UInt64 = 0
    private(set) var now = Instant(nanoseconds: 1_000_000_000)

    mutating func add(_ event: Event, in delay: Duration) {
        count += 1
        heap.append(Item(at: now + delay, number: count, event: event))
        var child = heap.count - 1
        while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// The next event before `end`; the clock moves to it.
    mutating func next(before end: Instant) -> Event? {
        guard let first = heap.first, first.at < end else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        sink()
        now = first.at
        return first.event
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].isBefore(heap[least])
            {
                least = child
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
