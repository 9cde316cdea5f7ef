import Testing
import WaldenCore
import WaldenWire

@Suite("What a peer is told of its fault, and what the log is")
struct WireErrorTests {
    @Test(
        "in PostgreSQL's words and with its SQLSTATE",
        arguments: [
            (.lengthOutOfRange(declared: -1, limit: 9), "08P01", "invalid message length"),
            (.malformed(tag: 0x50, .truncated), "08P01", "insufficient data left in message"),
            (.malformed(tag: 0x42, .lengthOutOfRange), "08P01", "insufficient data left in message"),
            (.malformed(tag: 0x51, .unterminatedString), "08P01", "invalid string in message"),
            (.malformed(tag: 0x51, .invalidText), "22021", "invalid byte sequence for encoding \"UTF8\""),
            (.trailingBytes(tag: 0x51), "08P01", "invalid message format"),
            (.unexpectedValue(tag: 0x44, field: .subtype, value: 88), "08P01", "invalid DESCRIBE message subtype 88"),
            (.unexpectedValue(tag: 0x43, field: .subtype, value: 88), "08P01", "invalid CLOSE message subtype 88"),
            (.unexpectedValue(tag: 0x42, field: .formatCode, value: 2), "22023", "unsupported format code: 2"),
            (.unexpectedValue(tag: 0x5A, field: .transactionStatus, value: 1), "08P01", "invalid message format"),
            (
                .parameterFormatCount(formats: 2, parameters: 3), "08P01",
                "bind message has 2 parameter formats but 3 parameters"
            ),
            (.unknownTag(0x7E), "08P01", "invalid frontend message type 126"),
            (
                .unsupportedProtocol(major: 2, minor: 0), "0A000",
                "unsupported frontend protocol 2.0: server supports 3.0 to 3.2"
            ),
            (.startup(.invalidLength), "08P01", "invalid length of startup packet"),
            (.startup(.invalidCancelRequestLength), "08P01", "invalid length of cancel request packet"),
            (.startup(.invalidCancelKeyLength), "08P01", "invalid length of cancel key in cancel request packet"),
            (
                .startup(.missingTerminator), "08P01",
                "invalid startup packet layout: expected terminator as last byte"
            ),
            (.startup(.missingUser), "28000", "no PostgreSQL user name specified in startup packet"),
        ] as [(WireError.Code, String, String)]
    )
    func reported(code: WireError.Code, sqlState: String, message: String) {
        let error = WireError(code)
        #expect(error.sqlState.code == sqlState)
        #expect(error.message == message)
        let response = ErrorResponse(error)
        #expect(response.severity == .fatal)
        #expect(response.sqlState == error.sqlState)
        #expect(response.message == message)
        #expect(error.description.hasPrefix(message))
    }

    @Test("the log has the tag and the lengths too")
    func described() {
        #expect("\(WireError(.lengthOutOfRange(declared: 70, limit: 9)))" == "invalid message length: 70, limit 9")
        #expect(
            "\(WireError(.malformed(tag: 0x51, .truncated)))" == "insufficient data left in message ('Q', truncated)"
        )
        #expect("\(WireError(.trailingBytes(tag: 7)))" == "invalid message format (tag 7, bytes after the last field)")
        #expect(
            "\(WireError(.malformed(tag: 0, .invalidText)))"
                == "invalid byte sequence for encoding \"UTF8\" (startup packet, invalidText)"
        )
        #expect(
            "\(WireError(.unexpectedValue(tag: 0x42, field: .formatCode, value: 5)))"
                == "unsupported format code: 5 ('B', format code 5)"
        )
        #expect("\(WireError.unknownTag(0x7E))" == "invalid frontend message type 126")
    }
}
