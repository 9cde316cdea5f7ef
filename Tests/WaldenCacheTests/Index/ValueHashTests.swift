import Testing
import WaldenDependency

@testable import WaldenCache

@Suite struct ValueHashTests {
    @Test func equalValuesHaveEqualHashes() {
        #expect(ValueHash.of(.integer(7)) == ValueHash.of(.integer(7)))
        #expect(ValueHash.of(.bytes([1, 2])) == ValueHash.of(.bytes([1, 2])))
    }

    @Test func kindsAreToldApart() {
        let hashes: Set<UInt64> = [
            ValueHash.of(.integer(0)), ValueHash.of(.bytes([])), ValueHash.null, ValueHash.empty,
            ValueHash.of(.bytes([0])), ValueHash.of(.integer(1)),
        ]
        #expect(hashes.count == 6)
    }

    /// A tuple's hash depends on the order and on each part.
    @Test func tuplesAreToldApart() {
        var seen: Set<UInt64> = []
        for left in 0..<64 {
            for right in 0..<64 {
                let first = ValueHash.combine(ValueHash.empty, ValueHash.of(.integer(Int64(left))))
                seen.insert(ValueHash.combine(first, ValueHash.of(.integer(Int64(right)))))
            }
        }
        #expect(seen.count == 64 * 64)
    }
}
