import Glibc

/// A blocking stream socket whose every wait is limited.
final class Socket {
    let descriptor: Int32

    init(port: Int) throws {
        guard let port = UInt16(exactly: port) else { throw TestKitError("\(port) is no TCP port") }
        descriptor = try Self.open(AF_INET)
        let code = withLoopbackAddress(port) { connect(descriptor, $0, $1) }
        guard code == 0 else { throw systemError("cannot connect to port \(port)") }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    init(path: String) throws {
        descriptor = try Self.open(AF_UNIX)
        let code = withUnixAddress(path) { connect(descriptor, $0, $1) }
        guard code == 0 else { throw systemError("cannot connect to \(path)") }
    }

    /// A listening socket on loopback, for its caller to close.
    static func listener(port: Int) throws -> Int32 {
        guard let port = UInt16(exactly: port) else { throw TestKitError("\(port) is no TCP port") }
        let descriptor = try open(AF_INET)
        guard withLoopbackAddress(port, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 64) == 0 else {
            throw systemError("cannot listen on port \(port)")
        }
        return descriptor
    }

    deinit {
        close(descriptor)
    }

    func send(_ bytes: [UInt8], timeout: Duration) throws {
        let deadline = ContinuousClock.now + timeout
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress! + offset, $0.count - offset, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count > 0 {
                offset += count
            } else if errno == EAGAIN {
                try wait(for: Int16(POLLOUT), until: deadline)
            } else if errno != EINTR {
                throw systemError("cannot send")
            }
        }
    }

    /// The bytes that have arrived, at least one and at most `limit`; empty when the peer has closed.
    func receive(limit: Int, timeout: Duration) throws -> [UInt8] {
        let deadline = ContinuousClock.now + timeout
        var buffer = [UInt8](repeating: 0, count: limit)
        while true {
            let count = recv(descriptor, &buffer, limit, Int32(MSG_DONTWAIT))
            if count >= 0 { return Array(buffer[..<count]) }
            if errno == ECONNRESET { return [] }
            if errno == EAGAIN {
                try wait(for: Int16(POLLIN), until: deadline)
            } else if errno != EINTR {
                throw systemError("cannot receive")
            }
        }
    }

    /// Whether there are bytes to receive, or the peer has closed.
    var hasInput: Bool {
        var look = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&look, 1, 0) > 0
    }

    /// Tells the peer that nothing more will come, and stays able to receive.
    func finishSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Has the end of this socket reset the connection instead of closing it in good order.
    func resetOnClose() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }

    private func wait(for events: Int16, until deadline: ContinuousClock.Instant) throws {
        let left = deadline - ContinuousClock.now
        guard left > .zero else { throw TestKitError("the peer kept us waiting too long") }
        var wait = pollfd(fd: descriptor, events: events, revents: 0)
        poll(&wait, 1, left.pollMilliseconds)
    }

    private static func open(_ family: Int32) throws -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw systemError("cannot open a socket") }
        return descriptor
    }
}
