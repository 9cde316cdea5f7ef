import Testing

@testable import WaldenRuntime

@Suite struct StatusCommandTests {
    @Test func aDocumentBecomesATable() {
        let document = #"""
            {"version":"0.1.0","reason":null,"caching":true,"bypasses":{"write":3},"hits":12,"none":{},"nodes":[
            {"name":"a","lag_seconds":0.5},{"name":"b","problem":"down: \"why\""}],"listening":["x:1","y:2"],"one":["z"]}
            """#
        #expect(
            StatusTable.text(document) == """
                version        0.1.0
                reason         -
                caching        true
                hits           12
                bypasses
                  write        3
                none           -
                nodes 1
                  name         a
                  lag_seconds  0.5
                nodes 2
                  name         b
                  problem      down: "why"
                listening      x:1
                               y:2
                one            z

                """)
    }

    @Test(arguments: ["", "[1]", "\"text\"", "{\"a\":", "<html>"])
    func whatIsNoStatusIsNoTable(document: String) {
        #expect(StatusTable.text(document) == nil)
    }

    @Test func theBodyIsTakenOutOfAResponse() throws {
        let response = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}\n"
        #expect(try HTTPGet.body(of: Array(response.utf8)) == "{}\n")
    }

    @Test(arguments: [
        ("", "the answer is not HTTP"), ("SSH-2.0-OpenSSH\r\n\r\n", "the answer is not HTTP"),
        ("HTTP/1.1 200 OK\r\n", "the answer is not HTTP"),
        ("HTTP/1.0 404 Not Found\r\n\r\n", "the answer has status 404"),
        ("HTTP/1.1\r\n\r\n", "the answer has status "),
    ])
    func otherResponsesAreTold(response: String, reason: String) {
        #expect(throws: HTTPGet.Failure(reason: reason)) { try HTTPGet.body(of: Array(response.utf8)) }
    }

    @Test func nobodyThereIsTold() {
        let outcome = StatusCommand.run(admin: "127.0.0.1:1", isJSON: true)
        #expect(outcome.status == .unavailable)
        #expect(outcome.problem == "127.0.0.1:1: Connection refused")
    }

    @Test(arguments: ["nonsense", "unix:/run/x", "host:port", "host:70000"])
    func anAddressThatIsNoneIsTold(admin: String) {
        #expect(StatusCommand.run(admin: admin, isJSON: false).status == .usage)
    }
}
