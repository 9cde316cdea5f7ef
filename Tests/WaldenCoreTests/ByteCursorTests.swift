import Testing

@testable import WaldenCore

@Suite struct ByteCursorTests {
    private let bytes: [UInt8] = [0x01, 0x02, 0x03, 0x04, 0x61, 0x62, 0x00, 0xFF]

    @Test func readsBigEndianIntegers() throws {
        let span = bytes.span.bytes
        var cursor = ByteCursor()
        #expect(try cursor.read(UInt8.self, in: span) == 0x01)
        #expect(try cursor.read(UInt16.self, in: span) == 0x0203)
        #expect(cursor.offset == 3)
        var whole = ByteCursor()
        #expect(try whole.read(UInt64.self, in: span) == 0x0102_0304_6162_00FF)
        var signed = ByteCursor(at: 7)
        #expect(try signed.read(Int8.self, in: span) == -1)
    }

    @Test func readsStrings() throws {
        let span = bytes.span.bytes
        var cursor = ByteCursor(at: 4)
        #expect(try cursor.readCString(in: span) == "ab")
        #expect(cursor.offset == 7)
        var unterminated = ByteCursor(at: 7)
        #expect(throws: ByteError.unterminatedString) { try unterminated.readCString(in: bytes.span.bytes) }
        let invalid: [UInt8] = [0xC3, 0x28, 0]
        var other = ByteCursor()
        #expect(throws: ByteError.invalidText) { try other.readCString(in: invalid.span.bytes) }
    }

    @Test func whatIsNotThereIsAnErrorAndMovesNothing() {
        var cursor = ByteCursor(at: 6)
        #expect(throws: ByteError.truncated) { try cursor.read(UInt32.self, in: bytes.span.bytes) }
        #expect(throws: ByteError.truncated) { try cursor.take(3, in: bytes.span.bytes) }
        #expect(throws: ByteError.lengthOutOfRange) { try cursor.take(-1, in: bytes.span.bytes) }
        #expect(cursor.offset == 6)
        var beyond = ByteCursor(at: 100)
        #expect(beyond.remaining(in: bytes.span.bytes) == 0)
        #expect(throws: ByteError.truncated) { try beyond.read(UInt8.self, in: bytes.span.bytes) }
        #expect(throws: ByteError.unterminatedString) { try beyond.takeCString(in: bytes.span.bytes) }
    }

    @Test func takesRanges() throws {
        let span = bytes.span.bytes
        var cursor = ByteCursor(at: 2)
        let range = try cursor.take(3, in: span)
        #expect(range == 2..<5)
        #expect(span.copy(range) == [0x03, 0x04, 0x61])
        #expect(try cursor.take(0, in: span).isEmpty)
        #expect(try span.text(4..<6) == "ab")
    }
}
