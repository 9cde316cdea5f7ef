import Testing
import WaldenCore
import WaldenWire

/// One body that is not the message it claims to be.
struct Malformed: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: WireError.Code
    let decode: @Sendable () -> WireError.Code?

    init<M: Message>(_ type: M.Type, _ description: String, _ body: [UInt8], _ code: WireError.Code) {
        testDescription = "\(type): \(description)"
        self.code = code
        decode = { WaldenWireTests.decode(type, body).code }
    }

    init<M: Message>(_ type: M.Type, _ description: String, _ body: [UInt8], _ error: ByteError) {
        self.init(type, description, body, .malformed(tag: M.tagByte, error))
    }
}

private let malformedFrontend: [Malformed] = [
    Malformed(Query.self, "no zero", ascii("SELECT 1"), .unterminatedString),
    Malformed(Query.self, "nothing", [], .unterminatedString),
    Malformed(Query.self, "a zero inside", ascii("SELECT\0 1\0"), .trailingBytes(tag: 0x51)),
    Malformed(Query.self, "not UTF-8", [0xC3, 0x28, 0], .invalidText),
    Malformed(Parse.self, "no query", ascii("s\0"), .unterminatedString),
    Malformed(Parse.self, "no count", ascii("s\0q\0"), .truncated),
    Malformed(Parse.self, "half a count", ascii("s\0q\0\0"), .truncated),
    Malformed(Parse.self, "more types promised", ascii("s\0q\0") + int16(2) + int32(23), .truncated),
    Malformed(Parse.self, "65,535 types promised", ascii("s\0q\0") + int16(-1), .truncated),
    Malformed(Parse.self, "a type too many", ascii("s\0q\0") + int16(0) + int32(23), .trailingBytes(tag: 0x50)),
    Malformed(Bind.self, "no statement", ascii("p\0s"), .unterminatedString),
    Malformed(Bind.self, "formats promised", ascii("\0\0") + int16(3) + int16(0), .truncated),
    Malformed(
        Bind.self, "format 2", ascii("\0\0") + int16(1) + int16(2) + int16(0) + int16(0),
        .unexpectedValue(tag: 0x42, field: .formatCode, value: 2)
    ),
    Malformed(
        Bind.self, "format -1", ascii("\0\0") + int16(1) + int16(-1) + int16(0) + int16(0),
        .unexpectedValue(tag: 0x42, field: .formatCode, value: -1)
    ),
    Malformed(Bind.self, "values promised", ascii("\0\0") + int16(0) + int16(-1), .truncated),
    Malformed(
        Bind.self, "a value of length -2", ascii("\0\0") + int16(0) + int16(1) + int32(-2) + int16(0),
        .lengthOutOfRange
    ),
    Malformed(
        Bind.self, "a value of the least length",
        ascii("\0\0") + int16(0) + int16(1) + int32(Int(Int32.min)) + int16(0), .lengthOutOfRange
    ),
    Malformed(
        Bind.self, "a value of 2 GB", ascii("\0\0") + int16(0) + int16(1) + int32(Int(Int32.max)) + [1], .truncated
    ),
    Malformed(Bind.self, "no result formats", ascii("\0\0") + int16(0) + int16(0), .truncated),
    Malformed(
        Bind.self, "two formats, three values",
        ascii("\0\0") + int16(2) + int16(0) + int16(1) + int16(3) + int32(-1) + int32(-1) + int32(-1) + int16(0),
        .parameterFormatCount(formats: 2, parameters: 3)
    ),
    Malformed(Describe.self, "nothing", [], .truncated),
    Malformed(
        Describe.self, "subtype X", ascii("Xs\0"), .unexpectedValue(tag: 0x44, field: .subtype, value: 0x58)
    ),
    Malformed(Describe.self, "no zero", ascii("Sname"), .unterminatedString),
    Malformed(Close.self, "subtype 0", ascii("\0s\0"), .unexpectedValue(tag: 0x43, field: .subtype, value: 0)),
    Malformed(Close.self, "two names", ascii("Pa\0b\0"), .trailingBytes(tag: 0x43)),
    Malformed(Execute.self, "three bytes of rows", ascii("p\0") + [0, 0, 0], .truncated),
    Malformed(Execute.self, "five bytes of rows", ascii("p\0") + [0, 0, 0, 0, 0], .trailingBytes(tag: 0x45)),
    Malformed(Sync.self, "a body", [0], .trailingBytes(tag: 0x53)),
    Malformed(Flush.self, "a body", [1], .trailingBytes(tag: 0x48)),
    Malformed(Terminate.self, "a body", [1, 2], .trailingBytes(tag: 0x58)),
    Malformed(FunctionCall.self, "no OID", [0, 0, 1], .truncated),
    Malformed(
        FunctionCall.self, "result format 3", int32(1) + int16(0) + int16(0) + int16(3),
        .unexpectedValue(tag: 0x46, field: .formatCode, value: 3)
    ),
    Malformed(
        FunctionCall.self, "two formats, no argument", int32(1) + int16(2) + int16(0) + int16(0) + int16(0) + int16(0),
        .parameterFormatCount(formats: 2, parameters: 0)
    ),
    Malformed(CopyFail.self, "no zero", ascii("x"), .unterminatedString),
    Malformed(PasswordMessage.self, "no zero", ascii("x"), .unterminatedString),
    Malformed(PasswordMessage.self, "a zero inside", ascii("x\0y\0"), .trailingBytes(tag: 0x70)),
    Malformed(SASLInitialResponse.self, "no data", ascii("SCRAM-SHA-256\0"), .truncated),
    Malformed(SASLInitialResponse.self, "length -7", ascii("S\0") + int32(-7), .lengthOutOfRange),
    Malformed(SASLInitialResponse.self, "short data", ascii("S\0") + int32(3) + [1, 2], .truncated),
]

private let malformedBackend: [Malformed] = [
    Malformed(Authentication.self, "no code", [0, 0], .truncated),
    Malformed(Authentication.self, "a short salt", int32(5) + [1, 2, 3], .truncated),
    Malformed(Authentication.self, "a long salt", int32(5) + [1, 2, 3, 4, 5], .trailingBytes(tag: 0x52)),
    Malformed(Authentication.self, "mechanisms without end", int32(10) + ascii("A\0"), .unterminatedString),
    Malformed(Authentication.self, "mechanisms after the end", int32(10) + ascii("\0A\0\0"), .trailingBytes(tag: 0x52)),
    Malformed(Authentication.self, "Ok and more", int32(0) + [0], .trailingBytes(tag: 0x52)),
    Malformed(ParameterStatus.self, "no value", ascii("name\0"), .unterminatedString),
    Malformed(BackendKeyData.self, "no secret", int32(1), .lengthOutOfRange),
    Malformed(BackendKeyData.self, "a secret of 3", int32(1) + [1, 2, 3], .lengthOutOfRange),
    Malformed(BackendKeyData.self, "a secret of 257", int32(1) + Array(repeating: 1, count: 257), .lengthOutOfRange),
    Malformed(ReadyForQuery.self, "nothing", [], .truncated),
    Malformed(
        ReadyForQuery.self, "status X", ascii("X"), .unexpectedValue(tag: 0x5A, field: .transactionStatus, value: 0x58)
    ),
    Malformed(RowDescription.self, "columns promised", int16(1) + ascii("a\0"), .truncated),
    Malformed(RowDescription.self, "65,535 columns promised", int16(-1) + ascii("a\0"), .truncated),
    Malformed(
        RowDescription.self, "format 9",
        int16(1) + ascii("a\0") + int32(0) + int16(0) + int32(23) + int16(4) + int32(-1) + int16(9),
        .unexpectedValue(tag: 0x54, field: .formatCode, value: 9)
    ),
    Malformed(DataRow.self, "values promised", int16(2) + int32(-1), .truncated),
    Malformed(DataRow.self, "a value of length -9", int16(1) + int32(-9), .lengthOutOfRange),
    Malformed(DataRow.self, "a short value", int16(1) + int32(2) + [1], .truncated),
    Malformed(CommandComplete.self, "no zero", ascii("SELECT 1"), .unterminatedString),
    Malformed(ErrorResponse.self, "no terminator", ascii("Mtext\0"), .truncated),
    Malformed(ErrorResponse.self, "a field without zero", ascii("Mtext"), .unterminatedString),
    Malformed(ErrorResponse.self, "fields after the terminator", ascii("\0Mtext\0\0"), .trailingBytes(tag: 0x45)),
    Malformed(NoticeResponse.self, "nothing", [], .truncated),
    Malformed(ParameterDescription.self, "types promised", int16(2) + int32(23), .truncated),
    Malformed(NegotiateProtocolVersion.self, "a negative count", int32(0x30000) + int32(-1), .lengthOutOfRange),
    Malformed(
        NegotiateProtocolVersion.self, "2 billion options", int32(0x30000) + int32(Int(Int32.max)) + [0], .truncated
    ),
    Malformed(
        CopyInResponse.self, "format -1", [0xFF] + int16(0),
        .unexpectedValue(tag: 0x47, field: .formatCode, value: -1)
    ),
    Malformed(CopyOutResponse.self, "columns promised", [0] + int16(4), .truncated),
    Malformed(CopyBothResponse.self, "nothing", [], .truncated),
    Malformed(NotificationResponse.self, "no payload", int32(1) + ascii("c\0"), .unterminatedString),
    Malformed(FunctionCallResponse.self, "no length", [0], .truncated),
    Malformed(ParseComplete.self, "a body", [0], .trailingBytes(tag: 0x31)),
    Malformed(CopyDone.self, "a body", [0], .trailingBytes(tag: 0x63)),
]

@Suite("Bodies that are not what they claim to be")
struct MalformedTests {
    @Test("from a client", arguments: malformedFrontend)
    func frontend(row: Malformed) {
        #expect(row.decode() == row.code)
    }

    @Test("from a server", arguments: malformedBackend)
    func backend(row: Malformed) {
        #expect(row.decode() == row.code)
    }

    @Test("a password of 65,535 bytes is read whole")
    func longPassword() {
        let password = [UInt8](repeating: 0x41, count: 65_535)
        #expect(decode(PasswordMessage.self, password + [0]).value?.password == password)
    }

    @Test("a password or a secret is not shown by a description")
    func hidden() {
        #expect(!"\(PasswordMessage(ascii("hunter2")))".contains("hunter2"))
    }
}
