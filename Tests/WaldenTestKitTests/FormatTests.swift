import Testing

@testable import WaldenTestKit

@Suite struct JSONValueTests {
    @Test func everyKindOfValue() throws {
        let value = try JSONValue(
            parsing: #"""
                 {"a": [1, -2.5e1, true, false, null],
                  "b": {"c": "x\n\u00e4\ud83d\ude00\"/"}, "d": {}, "e": []} 
                """#)
        #expect(value["a"].array == [.number(1), .number(-25), .bool(true), .bool(false), .null])
        #expect(value["b"]["c"].string == "x\nä😀\"/")
        #expect(value["d"] == .object([:]))
        #expect(value["e"] == .array([]))
        #expect(value["missing"] == .null)
    }

    @Test(arguments: ["", "{", "[1,]", "{\"a\" 1}", "\"open", "tru", "1 2", "{1: 2}", "nan?"])
    func brokenTextIsRefused(_ text: String) {
        #expect(throws: TestKitError.self) { try JSONValue(parsing: text) }
    }

    @Test func depthIsLimited() {
        #expect(throws: TestKitError.self) {
            try JSONValue(parsing: String(repeating: "[", count: 100_000))
        }
    }
}

@Suite struct HTTPTests {
    @Test func headersAndBody() throws {
        let text = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nX: a: b\r\n\r\nnot ready\n"
        let response = try #require(HTTP.parse(Array(text.utf8)))
        #expect(response.status == 503)
        #expect(response.headers == ["content-type": "text/plain", "x": "a: b"])
        #expect(response.body == "not ready\n")
    }

    @Test func chunksAreJoined() throws {
        let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab\r\n\r\n3;x=y\r\ncde\r\n0\r\n\r\n"
        #expect(HTTP.parse(Array(text.utf8))?.body == "ab\r\ncde")
    }

    @Test(arguments: ["", "HTTP/1.1 200", "nonsense\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n"])
    func brokenResponseIsNone(_ text: String) {
        #expect(HTTP.parse(Array(text.utf8)) == nil)
    }
}

@Suite struct BackendMessageTests {
    @Test func truncatedRowsDoNotTrap() {
        let bytes = BackendMessage(tag: "D", body: [0, 2, 0, 0, 0, 9, 1])
        #expect(bytes.values == [nil])
        #expect(BackendMessage(tag: "D", body: []).values.isEmpty)
        #expect(BackendMessage(tag: "K", body: [1]).integer(at: 0, as: Int32.self) == 0)
    }

    @Test func bytesAreThoseOfTheWire() {
        #expect(BackendMessage(tag: "Z", body: [0x49]).bytes == [0x5A, 0, 0, 0, 5, 0x49])
    }
}
