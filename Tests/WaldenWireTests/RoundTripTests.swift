import Testing
import WaldenCore
import WaldenWire

@Suite("Every message reads back as it was written")
struct RoundTripTests {
    @Test("in one gulp", arguments: allSamples)
    func gulp(sample: Sample) throws {
        let header = try #require(header(sample.bytes).value ?? nil)
        #expect(header.tag == sample.tag)
        #expect(header.byteCount == sample.bytes.count)
        #expect(header.body(at: 0) == 5..<sample.bytes.count)
        #expect(try sample.decodesBack(body(of: sample.bytes)))
    }

    @Test("between other bytes, which are not touched", arguments: allSamples)
    func inside(sample: Sample) throws {
        let bytes = [1, 0, 2] + sample.bytes + [0, 0, 3]
        let header = try #require(header(bytes, at: 3).value ?? nil)
        #expect(try sample.decodesBackInside(bytes, header.body(at: 3)))
    }

    @Test("byte by byte: no header before five bytes, and a short body is a typed error", arguments: allSamples)
    func byteByByte(sample: Sample) throws {
        for count in 0..<MessageHeader.byteCount {
            #expect(header(Array(sample.bytes.prefix(count))) == .success(nil))
        }
        let whole = body(of: sample.bytes)
        for count in whole.indices {
            let part = Array(whole.prefix(count))
            do throws(WireError) {
                // Only a body that is free data may read well when it is cut, and then as another value.
                #expect(try !sample.decodesBack(part))
                #expect(sample.isFreeData)
            } catch {
                #expect(error.sqlState == .protocolViolation)
            }
        }
    }

    @Test("a declared end beyond the bytes counts as missing bytes", arguments: allSamples)
    func bodyBeyondBytes(sample: Sample) throws {
        guard !sample.isFreeData else { return }
        let whole = body(of: sample.bytes)
        for count in whole.indices {
            #expect(throws: WireError.self) {
                try sample.decodesBackInside(Array(whole.prefix(count)), 0..<whole.count)
            }
        }
    }

    @Test("a byte after the last field is refused", arguments: allSamples)
    func trailing(sample: Sample) throws {
        guard !sample.isFreeData else { return }
        #expect(throws: WireError(.trailingBytes(tag: sample.tag))) {
            try sample.decodesBack(body(of: sample.bytes) + [0])
        }
    }

    @Test("message after message in one buffer")
    func stream() throws {
        let bytes = allSamples.flatMap(\.bytes)
        var offset = 0
        for sample in allSamples {
            let header = try #require(header(bytes, at: offset).value ?? nil)
            #expect(header.tag == sample.tag)
            #expect(try sample.decodesBackInside(bytes, header.body(at: offset)))
            offset += header.byteCount
        }
        #expect(offset == bytes.count)
        #expect(header(bytes, at: offset) == .success(nil))
    }
}

extension Sample {
    /// The body ends with bytes of any number, so that a cut cannot be seen.
    var isFreeData: Bool {
        switch name {
        case "CopyData", "SASLResponse", "BackendKeyData": true
        case "Authentication": [7, 8, 11, 12].contains(bytes[8])
        default: false
        }
    }
}

@Suite("The bytes written are those of the protocol chapter")
struct EncodingTests {
    @Test(
        "messages",
        arguments: [
            (Query("SELECT 1").encoded(), [0x51] + int32(13) + ascii("SELECT 1\0")),
            (Sync().encoded(), [0x53, 0, 0, 0, 4]),
            (
                Parse(name: "s", query: "q", parameterTypes: [.int4]).encoded(),
                [0x50] + int32(14) + ascii("s\0q\0") + int16(1) + int32(23)
            ),
            (
                Bind(
                    portal: "p", statement: "s", parameterFormats: [.binary], values: [[7], nil], resultFormats: [.text]
                )
                .encoded(),
                [0x42] + int32(27) + ascii("p\0s\0") + int16(1) + int16(1) + int16(2) + int32(1) + [7] + int32(-1)
                    + int16(1) + int16(0)
            ),
            (Describe(.portal, name: "p").encoded(), [0x44] + int32(7) + ascii("Pp\0")),
            (Close(.statement).encoded(), [0x43] + int32(6) + ascii("S\0")),
            (Execute(portal: "", maxRows: -1).encoded(), [0x45] + int32(9) + [0, 0xFF, 0xFF, 0xFF, 0xFF]),
            (PasswordMessage(ascii("pw")).encoded(), [0x70] + int32(7) + ascii("pw\0")),
            (Authentication.ok.encoded(), [0x52] + int32(8) + int32(0)),
            (
                Authentication.sasl(mechanisms: ["SCRAM-SHA-256"]).encoded(),
                [0x52] + int32(23) + int32(10) + ascii("SCRAM-SHA-256\0\0")
            ),
            (ReadyForQuery(.failed).encoded(), [0x5A] + int32(5) + ascii("E")),
            (DataRow([ascii("a"), nil]).encoded(), [0x44] + int32(15) + int16(2) + int32(1) + ascii("a") + int32(-1)),
            (CommandComplete("SELECT 3").encoded(), [0x43] + int32(13) + ascii("SELECT 3\0")),
            (
                ErrorResponse(sqlState: .queryCanceled, message: "m", hint: "h").encoded(),
                [0x45] + int32(32) + ascii("SERROR\0VERROR\0C57014\0Mm\0Hh\0\0")
            ),
            (
                CopyBothResponse(CopyFormats(overall: .text, columns: [])).encoded(),
                [0x57] + int32(7) + [0] + int16(0)
            ),
            (
                NegotiateProtocolVersion(version: .latest, unrecognizedOptions: ["_pq_.x"]).encoded(),
                [0x76] + int32(19) + int32(0x0003_0002) + int32(1) + ascii("_pq_.x\0")
            ),
        ] as [([UInt8], [UInt8])]
    )
    func bytes(written: [UInt8], expected: [UInt8]) {
        #expect(written == expected)
    }

    @Test("messages are appended after what is there")
    func appending() {
        var bytes: [UInt8] = [9, 9]
        Flush().encode(into: &bytes)
        Query("x").encode(into: &bytes)
        #expect(bytes == [9, 9, 0x48, 0, 0, 0, 4, 0x51, 0, 0, 0, 6, 0x78, 0])
    }

    @Test("a zero inside text ends it, so that no field can be forged")
    func embeddedZero() {
        #expect(Query("SELECT 1\0DROP").encoded() == Query("SELECT 1").encoded())
        #expect(PasswordMessage([1, 0, 2]).encoded() == PasswordMessage([1]).encoded())
        let forged = ErrorResponse(sqlState: .internalError, message: "m\0HC forged")
        #expect(forged.encoded() == ErrorResponse(sqlState: .internalError, message: "m").encoded())
    }

    @Test("a field of type zero would end the list early, so it is left out")
    func zeroField() {
        let fields = ResponseFields(fields: [.init(.init(rawValue: 0), "x"), .init(.message, "m")])
        #expect(body(of: ErrorResponse(fields).encoded()) == ascii("Mm\0\0"))
    }

    @Test("counts saturate where Int16 ends")
    func counts() {
        var bytes: [UInt8] = []
        bytes.appendCount(65_535)
        bytes.appendCount(65_536)
        bytes.appendCount(-1)
        #expect(bytes == [0xFF, 0xFF, 0xFF, 0xFF, 0, 0])
    }

    @Test("integers are written in network order")
    func integers() {
        var bytes: [UInt8] = []
        bytes.appendInteger(UInt8(1))
        bytes.appendInteger(Int16(-2))
        bytes.appendInteger(UInt32(0x0102_0304))
        bytes.appendInteger(Int64(-1))
        #expect(bytes == [1, 0xFF, 0xFE, 1, 2, 3, 4] + Array(repeating: 0xFF, count: 8))
    }

    @Test("frontend and backend tags of a message agree with its byte")
    func tags() {
        #expect(Query.tag == .query)
        #expect(ReadyForQuery.tag == .readyForQuery)
        #expect((CopyData.tag as FrontendTag) == .copyData)
        #expect((CopyDone.tag as BackendTag) == .copyDone)
    }
}
