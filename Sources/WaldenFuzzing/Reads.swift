/// An input cut into reads as a network would.
struct Reads {
    /// Read and not yet consumed.
    private(set) var unread: [UInt8] = []
    private var rest: ArraySlice<UInt8>
    private let size: Int

    /// - Parameter cut: The size of each read; 0: all at once.
    init(_ input: ArraySlice<UInt8>, cut: UInt8) {
        rest = input
        size = cut == 0 ? input.count : Int(cut)
    }

    /// Adds one read to `unread`; false when there is none.
    mutating func next() -> Bool {
        guard !rest.isEmpty else { return false }
        unread += rest.prefix(size)
        rest = rest.dropFirst(size)
        return true
    }

    /// A machine that consumes more than there is, or less than nothing, has a fault.
    mutating func consume(_ count: Int) {
        precondition((0...unread.count).contains(count), "consumed \(count) of \(unread.count) bytes")
        unread.removeFirst(count)
    }
}
