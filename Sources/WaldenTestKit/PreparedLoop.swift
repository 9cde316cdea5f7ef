import Glibc

/// Executes one prepared statement again and again, at as little cost of its own as it can: one write and, for a short
/// answer, one read each time. For loads, where the client must not be what is measured.
///
/// Not for more than one thread at a time.
public final class PreparedLoop {
    private let descriptor: Int32
    private var request: [UInt8] = []
    private var reply = [UInt8](repeating: 0, count: 16_384)

    /// Starts a session on loopback without a password and prepares the statement.
    public init(port: Int, user: String = "postgres", database: String = "postgres", _ sql: String) throws {
        guard let port = UInt16(exactly: port) else { throw TestKitError("\(port) is no TCP port") }
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0, withLoopbackAddress(port, { connect(descriptor, $0, $1) }) == 0 else {
            throw systemError("cannot connect to port \(port)")
        }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        request = FrontendMessage.startup([("user", user), ("database", database)])
        _ = try exchange()
        request = FrontendMessage.parse(sql, name: "loop") + FrontendMessage.sync
        _ = try exchange()
    }

    deinit {
        close(descriptor)
    }

    /// Executes it; the first column of the first row as an integer, nil when there is no row or it is none.
    public func integer(_ parameters: Int...) throws -> Int? {
        prepareRequest(parameters)
        return firstInteger(in: try exchange())
    }

    /// Executes it; all bytes of the answer.
    public func bytes(_ parameters: Int...) throws -> ArraySlice<UInt8> {
        prepareRequest(parameters)
        return reply[try exchange()]
    }

    private func prepareRequest(_ parameters: [Int]) {
        request.removeAll(keepingCapacity: true)
        request += [0x42, 0, 0, 0, 0, 0, 0x6C, 0x6F, 0x6F, 0x70, 0, 0, 0]  // Bind of "loop", all values as text
        append(Int16(parameters.count))
        for parameter in parameters {
            let digits = String(parameter).utf8
            append(Int32(digits.count))
            request += digits
        }
        append(Int16(0))
        let length = Int32(request.count - 1)
        withUnsafeBytes(of: length.bigEndian) { bytes in
            for index in 0..<4 { request[1 + index] = bytes[index] }
        }
        request += [0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0]  // Execute
        request += [0x53, 0, 0, 0, 4]  // Sync
    }

    private func append(_ integer: some FixedWidthInteger) {
        withUnsafeBytes(of: integer.bigEndian) { request += $0 }
    }

    /// Sends the request and reads to the next ReadyForQuery; where the answer stands in `reply`.
    private func exchange() throws -> Range<Int> {
        var sent = 0
        while sent < request.count {
            let count = request.withUnsafeBytes {
                send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw systemError("cannot send") }
            sent += count
        }
        var end = 0
        var position = 0
        while true {
            if end == reply.count { reply += [UInt8](repeating: 0, count: reply.count) }
            let count = reply.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress! + end, $0.count - end, 0) }
            guard count > 0 else { throw systemError("cannot receive") }
            end += count
            while end - position >= 5 {
                let next = position + 1 + length(at: position + 1)
                guard next <= end else { break }
                if reply[position] == 0x45 { throw TestKitError("an error: \(errorText(position, next))") }
                if reply[position] == 0x5A { return 0..<next }
                position = next
            }
        }
    }

    private func firstInteger(in answer: Range<Int>) -> Int? {
        var position = answer.lowerBound
        while position < answer.upperBound {
            if reply[position] == 0x44 {
                let start = position + 11
                let count = length(at: position + 7)
                guard count >= 0, start + count <= answer.upperBound else { return nil }
                return Int(String(decoding: reply[start..<(start + count)], as: UTF8.self))
            }
            position += 1 + length(at: position + 1)
        }
        return nil
    }

    private func length(at position: Int) -> Int {
        guard position + 4 <= reply.count else { return -1 }
        return Int(
            Int32(reply[position]) << 24 | Int32(reply[position + 1]) << 16 | Int32(reply[position + 2]) << 8
                | Int32(reply[position + 3]))
    }

    private func errorText(_ start: Int, _ end: Int) -> String {
        BackendMessage(tag: "E", body: Array(reply[(start + 5)..<end])).description
    }
}
