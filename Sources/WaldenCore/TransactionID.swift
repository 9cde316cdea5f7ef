/// A transaction identifier widened to 64 bits, so that it never wraps (PostgreSQL `xid8`, `FullTransactionId`).
public struct TransactionID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64

    @inlinable
    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Widens the 32-bit identifier that the log carries, taking the candidate nearest to `reference`.
    ///
    /// PostgreSQL keeps all live identifiers within 2³¹ of one another, so with any recent identifier as the
    /// reference the nearest candidate is the right one.
    public init(short: UInt32, near reference: TransactionID) {
        let distance = Int32(truncatingIfNeeded: Int64(short) - Int64(reference.rawValue & 0xFFFF_FFFF))
        let (widened, overflow) = reference.rawValue.addingReportingOverflow(
            UInt64(bitPattern: Int64(distance)))
        // Adding a negative distance always "overflows" in unsigned arithmetic; a real underflow would be below zero.
        let belowZero = distance < 0 && !overflow
        self.init(belowZero ? UInt64(short) : widened)
    }

    @inlinable
    public static func < (lhs: TransactionID, rhs: TransactionID) -> Bool {
        lhs.rawValue < rhs.rawValue
    }

    public var description: String { String(rawValue) }
}

/// What `pg_current_snapshot()` says: which transactions' effects a reader that starts now is certain to see
/// (PostgreSQL documentation, "Transaction ID and Snapshot Information Functions"). Meaningful on a primary only.
public struct Snapshot: Hashable, Sendable {
    /// The lowest identifier still in progress; all below it are finished.
    public let xmin: TransactionID
    /// One past the highest finished identifier; this and all above are invisible.
    public let xmax: TransactionID
    /// Identifiers in progress, `xmin <= x < xmax`, ascending.
    public let inProgress: [TransactionID]

    public init(xmin: TransactionID, xmax: TransactionID, inProgress: [TransactionID]) {
        self.xmin = xmin
        self.xmax = xmax
        self.inProgress = inProgress.sorted()
    }

    /// Whether `xid` had finished when this was taken: its effects, if it committed, are visible to every later reader.
    public func covers(_ xid: TransactionID) -> Bool {
        if xid < xmin { return true }
        if xid >= xmax { return false }
        var low = 0
        var high = inProgress.count
        while low < high {
            let middle = (low + high) / 2
            if inProgress[middle] < xid { low = middle + 1 } else { high = middle }
        }
        return !(low < inProgress.count && inProgress[low] == xid)
    }

    /// Whether whatever `earlier` sees is seen by this one, too.
    public func seesAll(of earlier: Snapshot) -> Bool {
        earlier.xmax <= xmax && inProgress.allSatisfy { $0 >= earlier.xmax || !earlier.covers($0) }
    }
}

extension Snapshot: LosslessStringConvertible {
    /// Parses `xmin:xmax:xip,xip,…`, e.g. `795:799:795,797`; nil when malformed.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let xmin = UInt64(parts[0]), let xmax = UInt64(parts[1]), xmin <= xmax else {
            return nil
        }
        var inProgress: [TransactionID] = []
        for part in parts[2].split(separator: ",") {
            guard let xid = UInt64(part) else { return nil }
            inProgress.append(TransactionID(xid))
        }
        self.init(xmin: TransactionID(xmin), xmax: TransactionID(xmax), inProgress: inProgress)
    }

    public var description: String {
        "\(xmin):\(xmax):" + inProgress.map(\.description).joined(separator: ",")
    }
}
