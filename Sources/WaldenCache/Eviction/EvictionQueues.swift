/// Which entry goes when room is needed: S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for
/// cache eviction", SOSP 2023), counted in bytes.
///
/// A newcomer enters the small queue, a tenth of the room. At its end it moves to the main queue if it was read again
/// meanwhile, else it goes and leaves a ghost; a key whose ghost is still there enters the main queue directly. In the
/// main queue an entry that was read goes round again, once per read up to three. So a scan passes through a tenth of
/// the room and leaves the rest alone. A hit touches two bits and moves nothing.
///
/// Slots are those of the table that owns the entries.
struct EvictionQueues: Sendable {
    private struct Node {
        var hash: UInt64 = 0
        var newer: Int32 = -1
        var older: Int32 = -1
        var bytes: UInt32 = 0
        var isMain = false
    }

    private struct Queue {
        var newest: Int32 = -1
        var oldest: Int32 = -1
        var count = 0
        var bytes = 0

        mutating func push(_ slot: Int32, _ nodes: inout [Node]) {
            nodes[Int(slot)].newer = -1
            nodes[Int(slot)].older = newest
            if newest >= 0 { nodes[Int(newest)].newer = slot } else { oldest = slot }
            newest = slot
            count += 1
            bytes += Int(nodes[Int(slot)].bytes)
        }

        mutating func unlink(_ slot: Int32, _ nodes: inout [Node]) {
            let node = nodes[Int(slot)]
            if node.newer >= 0 { nodes[Int(node.newer)].older = node.older } else { newest = node.older }
            if node.older >= 0 { nodes[Int(node.older)].newer = node.newer } else { oldest = node.newer }
            count -= 1
            bytes -= Int(node.bytes)
        }
    }

    private var nodes: [Node] = []
    /// Up to three, by slot. Apart from the nodes, so that a hit touches one byte among few.
    private var reads: [UInt8] = []
    private var small = Queue()
    private var main = Queue()
    private var ghosts = GhostTable()
    private let maxBytes: Int

    init(maxBytes: Int) {
        self.maxBytes = maxBytes
    }

    var bytes: Int { small.bytes + main.bytes }
    var count: Int { small.count + main.count }

    /// How many ghosts count: as many as the main queue has entries, as in the paper.
    private var window: Int { max(64, main.count) }

    mutating func insert(_ slot: Int32, hash: UInt64, bytes: Int) {
        while nodes.count <= Int(slot) {
            nodes.append(Node())
            reads.append(0)
        }
        let isMain = ghosts.take(hash, window: window)
        nodes[Int(slot)] = Node(hash: hash, bytes: UInt32(clamping: bytes), isMain: isMain)
        reads[Int(slot)] = 0
        pushNewest(slot)
    }

    @inline(__always)
    mutating func touch(_ slot: Int32) {
        if reads[Int(slot)] < 3 { reads[Int(slot)] += 1 }
    }

    func hash(of slot: Int32) -> UInt64 { nodes[Int(slot)].hash }

    mutating func remove(_ slot: Int32) {
        unlink(slot)
    }

    /// Takes one entry out so that `needed` more bytes fit, or nil when they fit already or nothing is left.
    mutating func victim(toFit needed: Int) -> Int32? {
        guard bytes + needed > maxBytes else { return nil }
        while count > 0 {
            if small.count > 0, small.bytes * 10 >= maxBytes || main.count == 0 {
                let slot = small.oldest
                unlink(slot)
                if reads[Int(slot)] > 1 {
                    reads[Int(slot)] = 0
                    nodes[Int(slot)].isMain = true
                    pushNewest(slot)
                } else {
                    ghosts.insert(nodes[Int(slot)].hash, window: window)
                    return slot
                }
            } else {
                let slot = main.oldest
                unlink(slot)
                guard reads[Int(slot)] > 0 else { return slot }
                reads[Int(slot)] -= 1
                pushNewest(slot)
            }
        }
        return nil
    }

    private mutating func pushNewest(_ slot: Int32) {
        if nodes[Int(slot)].isMain { main.push(slot, &nodes) } else { small.push(slot, &nodes) }
    }

    private mutating func unlink(_ slot: Int32) {
        if nodes[Int(slot)].isMain { main.unlink(slot, &nodes) } else { small.unlink(slot, &nodes) }
    }
}
