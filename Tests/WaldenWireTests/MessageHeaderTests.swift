import Testing
import WaldenWire

@Suite("Framing of tagged messages")
struct MessageHeaderTests {
    @Test("lengths within the limit", arguments: [4, 5, 100, 999, 1000])
    func accepted(length: Int) throws {
        let header = try #require(header(ascii("Q") + int32(length), limit: 1000).value ?? nil)
        #expect(header.tag == UInt8(ascii: "Q"))
        #expect(header.byteCount == length + 1)
        #expect(header.body(at: 7) == 12..<(8 + length))
    }

    @Test("lengths outside are refused", arguments: [0, 1, 3, 1001, Int(Int32.max), -1, Int(Int32.min), -4])
    func refused(length: Int) {
        #expect(
            header(ascii("Q") + int32(length), limit: 1000).code == .lengthOutOfRange(declared: length, limit: 1000)
        )
    }

    @Test("the limit of Int32 itself is a limit that can be given")
    func greatestLimit() throws {
        let header = try #require(header(ascii("Q") + int32(Int(Int32.max)), limit: Int(Int32.max)).value ?? nil)
        #expect(header.byteCount == Int(Int32.max) + 1)
        #expect(header.body(at: 0).upperBound == Int(Int32.max) + 1)
    }

    @Test(
        "an offset at, near or beyond the end, or before the start, finds nothing",
        arguments: [-1, 4, 8, 9, 1000, .max])
    func offsets(offset: Int) {
        #expect(header(Sync().encoded() + [1, 2, 3], at: offset) == .success(nil))
    }

    @Test("an empty buffer holds no header")
    func empty() {
        #expect(header([]) == .success(nil))
    }

    @Test("a length is judged before its body arrives, so no memory is taken for it")
    func early() {
        // Case 66 of the conformance list: a length of 2 GB.
        #expect(header([0x51, 0x7F, 0xFF, 0xFF, 0xFF], limit: 1 << 20).code != nil)
    }

    @Test("an unknown tag is a value, and its message can be stepped over")
    func unknownTag() throws {
        let header = try #require(header([0x7E] + int32(6) + [1, 2]).value ?? nil)
        #expect(!FrontendTag(rawValue: header.tag).isKnown)
        #expect(!BackendTag(rawValue: header.tag).isKnown)
        #expect(header.byteCount == 7)
    }

    @Test("the known tags are those of the protocol chapter")
    func knownTags() {
        let bytes = UInt8.min...UInt8.max
        let frontend = bytes.filter { FrontendTag(rawValue: $0).isKnown }
        let backend = bytes.filter { BackendTag(rawValue: $0).isKnown }
        #expect(frontend == ascii("QPBDECSHFdcfpX").sorted())
        #expect(backend == ascii("RSKZTDCIEN123nstGHWdcAVv").sorted())
    }

    @Test("tags are equal by their byte and usable in sets")
    func tagEquality() {
        #expect(FrontendTag(rawValue: 0x51) == .query)
        #expect(FrontendTag.query != .sync)
        #expect(Set([BackendTag.dataRow, BackendTag(rawValue: 0x44)]).count == 1)
    }
}

@Suite("Writing messages of one's own")
struct MessageWriterTests {
    @Test("the length counts itself and the body, not the tag")
    func length() {
        var bytes: [UInt8] = [0xAA]
        MessageWriter.append(tag: 0x44, into: &bytes) { $0.append(contentsOf: [1, 2, 3]) }
        #expect(bytes == [0xAA, 0x44, 0, 0, 0, 7, 1, 2, 3])
    }

    @Test("a startup packet has no tag")
    func untagged() {
        var bytes: [UInt8] = []
        MessageWriter.appendUntagged(into: &bytes) { _ in }
        #expect(bytes == [0, 0, 0, 4])
    }

    @Test("a length above one byte is written in network order")
    func longBody() throws {
        var bytes: [UInt8] = []
        MessageWriter.append(tag: 0x64, into: &bytes) { $0.append(contentsOf: Array(repeating: 7, count: 70_000)) }
        #expect(bytes[1..<5] == [0, 1, 0x11, 0x74])
        let header = try #require(header(bytes, limit: 100_000).value ?? nil)
        #expect(header.byteCount == bytes.count)
    }

    @Test("values carry their length, nulls the length -1")
    func values() {
        var bytes: [UInt8] = []
        bytes.appendValue([5])
        bytes.appendValue([])
        bytes.appendValue(nil)
        #expect(bytes == [0, 0, 0, 1, 5, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF])
    }

    @Test("strings end with a zero and are cut at one")
    func strings() {
        var bytes: [UInt8] = []
        bytes.appendCString("é")
        bytes.appendCString("")
        bytes.appendCString("a\0b")
        #expect(bytes == [0xC3, 0xA9, 0, 0, 0x61, 0])
    }
}
