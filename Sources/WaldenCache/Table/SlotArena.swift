/// Values at stable small integers, with the freed places reused: objects without objects. An `Int32` names a place in
/// half a word, and a million of them cost no allocation each.
struct SlotArena<Element> {
    private var elements: [Element] = []
    private var free: [Int32] = []

    /// Places in use.
    var count: Int { elements.count - free.count }
    /// One past the highest place ever used.
    var limit: Int { elements.count }

    subscript(_ slot: Int32) -> Element {
        _read { yield elements[Int(slot)] }
        _modify { yield &elements[Int(slot)] }
    }

    mutating func insert(_ element: Element) -> Int32 {
        if let slot = free.popLast() {
            elements[Int(slot)] = element
            return slot
        }
        elements.append(element)
        return Int32(elements.count - 1)
    }

    /// Frees a place; `blank` takes the element's stead, so that nothing it held lives on.
    mutating func remove(_ slot: Int32, leaving blank: Element) {
        elements[Int(slot)] = blank
        free.append(slot)
    }

    mutating func removeAll() {
        elements = []
        free = []
    }
}

extension SlotArena: Sendable where Element: Sendable {}
