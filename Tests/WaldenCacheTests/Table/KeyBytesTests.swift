import Testing

@testable import WaldenCache

@Suite struct KeyBytesTests {
    /// Each length around a word, each place of a difference.
    @Test(arguments: 0..<34) func comparesEveryByte(length: Int) {
        let key = (0..<length).map { UInt8($0 & 0xFF) }
        key.withUnsafeBytes { #expect($0.equals(key)) }
        (key + [0]).withUnsafeBytes { #expect(!$0.equals(key)) }
        for place in 0..<length {
            var other = key
            other[place] ^= 0x80
            other.withUnsafeBytes { #expect(!$0.equals(key)) }
        }
    }

    @Test func hashesBytesAndArraysAlike() {
        let key: [UInt8] = [1, 2, 3]
        key.withUnsafeBytes { #expect($0.keyHash == key.keyHash) }
        #expect([UInt8]([1, 2]).keyHash != key.keyHash)
    }

    @Test func trimsWhatAppendingLeft() {
        var key: [UInt8] = [1, 2, 3]
        key.reserveCapacity(500)
        #expect(key.trimmed == key)
        #expect(key.trimmed.capacity < 64)
    }
}
