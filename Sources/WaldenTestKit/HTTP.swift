/// The answer to an HTTP request.
public struct HTTPResponse: Sendable {
    public let status: Int
    /// Names in lower case.
    public let headers: [String: String]
    public let body: String
}

/// Just enough of HTTP/1.1 to look at an admin port on loopback.
public enum HTTP {
    public static func get(
        _ path: String, port: Int, timeout: Duration = .seconds(10)
    ) throws -> HTTPResponse {
        let socket = try Socket(port: port)
        let request = "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n"
        try socket.send(Array(request.utf8), timeout: timeout)
        var bytes: [UInt8] = []
        while true {
            let more = try socket.receive(limit: 65_536, timeout: timeout)
            if more.isEmpty { break }
            bytes += more
        }
        guard let response = parse(bytes) else { throw TestKitError("GET \(path): not an HTTP response") }
        return response
    }

    static func parse(_ bytes: [UInt8]) -> HTTPResponse? {
        let separator = Array("\r\n\r\n".utf8)
        guard bytes.count >= separator.count,
            let end = (0...(bytes.count - separator.count)).first(where: {
                bytes[$0..<($0 + separator.count)].elementsEqual(separator)
            })
        else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        guard let first = lines.first?.split(separator: " "), first.count >= 2, let status = Int(first[1]) else {
            return nil
        }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        var body = Array(bytes[(end + separator.count)...])
        if headers["transfer-encoding"]?.lowercased() == "chunked" { body = joinChunks(body) }
        return HTTPResponse(status: status, headers: headers, body: String(decoding: body, as: UTF8.self))
    }

    private static func joinChunks(_ bytes: [UInt8]) -> [UInt8] {
        var joined: [UInt8] = []
        var rest = bytes[...]
        while let lineEnd = rest.firstIndex(of: 0x0D) {
            let digits = String(decoding: rest[..<lineEnd].prefix { $0 != 0x3B }, as: UTF8.self)
            guard let size = Int(digits, radix: 16), size > 0, rest.endIndex - lineEnd >= size + 4 else { break }
            let start = lineEnd + 2
            joined += rest[start..<(start + size)]
            rest = rest[(start + size + 2)...]
        }
        return joined
    }
}
