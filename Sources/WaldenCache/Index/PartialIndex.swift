/// A group's buckets by some of its equality columns, for rows of which the stream tells no more: an old row of which
/// only the key was sent, an unchanged TOASTed value.
struct PartialIndex: Sendable {
    private struct Link: Sendable {
        var hash: UInt64 = 0
        var next: Int32 = -1
        var previous: Int32 = -1
    }

    /// A bit per equality column of the group.
    let known: UInt64
    /// From the hash of those columns to the first bucket of a chain.
    private var heads = HandleTable()
    private var links: [Link] = []

    init(known: UInt64) {
        self.known = known
    }

    func first(_ hash: UInt64) -> Int32? {
        heads.find(hash) { links[Int($0)].hash == hash }
    }

    func next(_ bucket: Int32) -> Int32? {
        let next = links[Int(bucket)].next
        return next < 0 ? nil : next
    }

    mutating func insert(_ bucket: Int32, hash: UInt64) {
        while links.count <= Int(bucket) { links.append(Link()) }
        let head = first(hash)
        links[Int(bucket)] = Link(hash: hash, next: head ?? -1)
        if let head {
            links[Int(head)].previous = bucket
            heads.remove(hash, head)
        }
        heads.insert(hash, bucket)
    }

    mutating func remove(_ bucket: Int32) {
        let link = links[Int(bucket)]
        if link.next >= 0 { links[Int(link.next)].previous = link.previous }
        if link.previous >= 0 {
            links[Int(link.previous)].next = link.next
        } else {
            heads.remove(link.hash, bucket)
            if link.next >= 0 { heads.insert(link.hash, link.next) }
        }
    }
}
