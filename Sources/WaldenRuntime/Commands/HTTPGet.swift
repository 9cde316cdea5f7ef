import Glibc

/// One GET over plain HTTP, for the command line: it blocks, and gives up after some seconds.
enum HTTPGet {
    struct Failure: Error, Hashable {
        let reason: String
    }

    static let timeoutSeconds = 5
    /// A status document has some tens of kilobytes.
    private static let maxBytes = 16 << 20

    /// - Throws: when the answer does not come or is not 200.
    static func body(of path: String, host: String, port: Int) throws(Failure) -> String {
        let descriptor = try connect(host, port)
        defer { close(descriptor) }
        // Version 1.0, so that the body is not cut into chunks.
        let name = host.contains(":") ? "[\(host)]" : host
        try send("GET \(path) HTTP/1.0\r\nHost: \(name):\(port)\r\nConnection: close\r\n\r\n", to: descriptor)
        return try body(of: receive(from: descriptor))
    }

    /// One request on a connection that is there already, whose answer may have any status.
    static func exchange(
        _ method: String, _ path: String, on descriptor: Int32
    ) throws(Failure) -> (status: Int, body: String) {
        let head = ["\(method) \(path) HTTP/1.0", "Host: walden", "Content-Length: 0", "Connection: close", "", ""]
        try send(head.joined(separator: "\r\n"), to: descriptor)
        let (status, body) = try parts(of: receive(from: descriptor))
        guard let status = Int(status) else { throw Failure(reason: "the answer is not HTTP") }
        return (status, body)
    }

    /// - Parameter response: the whole of it.
    static func body(of response: [UInt8]) throws(Failure) -> String {
        let (status, body) = try parts(of: response)
        guard status == "200" else { throw Failure(reason: "the answer has status \(status)") }
        return body
    }

    private static func parts(of response: [UInt8]) throws(Failure) -> (status: Substring, body: String) {
        let text = String(decoding: response, as: UTF8.self)
        guard text.hasPrefix("HTTP/1."), let end = text.firstRange(of: "\r\n\r\n") else {
            throw Failure(reason: "the answer is not HTTP")
        }
        let status = text.split(separator: " ", maxSplits: 2).dropFirst().first ?? ""
        return (status, String(text[end.upperBound...]))
    }

    private static func connect(_ host: String, _ port: Int) throws(Failure) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &found)
        guard code == 0 else { throw Failure(reason: String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(found) }
        var problem = "no address"
        var candidate = found
        while let address = candidate?.pointee {
            let descriptor = socket(address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
            if descriptor >= 0 {
                setTimeouts(of: descriptor)
                if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return descriptor }
                problem = errno == EINPROGRESS ? "no answer in time" : String(cString: strerror(errno))
                close(descriptor)
            }
            candidate = address.ai_next
        }
        throw Failure(reason: problem)
    }

    static func setTimeouts(of descriptor: Int32, seconds: Int = timeoutSeconds) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        // Bounds connect() as well (socket(7)).
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    private static func send(_ text: String, to descriptor: Int32) throws(Failure) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(reason: String(cString: strerror(errno))) }
            rest = rest.dropFirst(count)
        }
    }

    private static func receive(from descriptor: Int32) throws(Failure) -> [UInt8] {
        var response: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 { return response }
            guard count > 0 else {
                throw Failure(reason: errno == EAGAIN ? "no answer in time" : String(cString: strerror(errno)))
            }
            response += buffer[..<count]
            guard response.count <= maxBytes else { throw Failure(reason: "the answer is too long") }
        }
    }
}
