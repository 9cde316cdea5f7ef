import Glibc

/// A TCP relay before a server that does harm on command: a session asks for it by a notice, e.g.
/// `DO $$ BEGIN RAISE NOTICE 'fault: cut'; END $$`, which goes no further. It ends with the last reference.
public final class FaultRelay: Sendable {
    public enum Fault: String, Sendable {
        /// The next ErrorResponse loses its SQLSTATE.
        case strip
        /// The connection is closed in the place of the next CommandComplete but that of the statement that asks for it.
        case cut
        /// From now on not a byte passes and none is acknowledged, as if packets were dropped.
        case freeze
    }

    public let port: Int
    private let isEnding = Flag()

    /// - Parameter target: the server's port on loopback. Its sessions must not be encrypted.
    public init(before target: Int) throws {
        port = try Ports.free()
        let listener = try Socket.listener(port: port)
        _ = try BackgroundThread { [isEnding] in
            defer { close(listener) }
            while !isEnding.isRaised {
                guard Pump.wait(for: [listener])[0], case let client = accept(listener, nil, nil), client >= 0 else {
                    continue
                }
                _ = try BackgroundThread {
                    defer { close(client) }
                    var pump = try Pump(client: client, target: target, isEnding: isEnding)
                    try pump.run()
                }
            }
        }
    }

    deinit {
        isEnding.raise()
    }
}

/// One connection through the relay.
private struct Pump {
    private let client: Int32
    private let server: Socket
    private let isEnding: Flag
    /// Bytes of the server that are no whole message yet.
    private var pending: [UInt8] = []
    private var fault: FaultRelay.Fault?
    /// The statement that asked for a fault is complete.
    private var isArmed = false

    init(client: Int32, target: Int, isEnding: Flag) throws {
        self.client = client
        self.isEnding = isEnding
        server = try Socket(port: target)
    }

    mutating func run() throws {
        while !isEnding.isRaised {
            if fault == .freeze {
                usleep(20_000)
                continue
            }
            let ready = Self.wait(for: [client, server.descriptor])
            if ready[0] {
                var buffer = [UInt8](repeating: 0, count: 65_536)
                let count = recv(client, &buffer, buffer.count, 0)
                guard count > 0 else { return }
                try server.send(Array(buffer[..<count]), timeout: .seconds(10))
            }
            if ready[1] {
                let bytes = try server.receive(limit: 65_536, timeout: .seconds(10))
                if bytes.isEmpty { return }
                pending += bytes
                guard passMessages() else { return }
            }
        }
    }

    /// Hands whole messages on; false when the connection is to be closed.
    private mutating func passMessages() -> Bool {
        var offset = 0
        var passed: [UInt8] = []
        defer { pending.removeFirst(offset) }
        while pending.count - offset >= 5 {
            let length = pending[(offset + 1)..<(offset + 5)].reduce(0) { $0 << 8 | Int($1) }
            guard pending.count - offset > length else { break }
            let body = Array(pending[(offset + 5)..<(offset + 1 + length)])
            let message = BackendMessage(tag: Unicode.Scalar(pending[offset]), body: body)
            offset += 1 + length
            guard let bytes = treat(message) else {
                write(passed)
                return false
            }
            passed += bytes
        }
        write(passed)
        return true
    }

    /// What is handed on in the place of a message; nil when the connection is to be closed.
    private mutating func treat(_ message: BackendMessage) -> [UInt8]? {
        if message.tag == "N", let word = message.fields["M"]?.split(separator: " ").last,
            let asked = FaultRelay.Fault(rawValue: String(word)), message.fields["M"]?.hasPrefix("fault: ") == true
        {
            fault = asked
            if asked == .freeze { dropPackets() }
            return []
        }
        switch (fault, message.tag) {
        case (.strip, "E"):
            fault = nil
            let fields = message.body.split(separator: 0).filter { $0.first != UInt8(ascii: "C") }
            return FrontendMessage.message("E", fields.flatMap { Array($0) + [0] } + [0])
        case (.cut, "C") where isArmed: return nil
        case (.cut, "C"): isArmed = true
        default: break
        }
        return message.bytes
    }

    private func write(_ bytes: [UInt8]) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(client, $0.baseAddress.map { $0 + offset }, $0.count - offset, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            offset += count
        }
    }

    /// Has the kernel drop what arrives for this socket before TCP sees it (socket(7), SO_ATTACH_FILTER): the program is
    /// one instruction, "accept no byte".
    private func dropPackets() {
        // A `sock_filter` of 8 bytes: BPF_RET | BPF_K, and zero for all else. Glibc's module has neither type.
        var instruction: (code: UInt16, jumps: UInt16, k: UInt32) = (6, 0, 0)
        withUnsafeMutablePointer(to: &instruction) { pointer in
            var program: (length: UInt16, filter: UnsafeMutableRawPointer) = (1, UnsafeMutableRawPointer(pointer))
            setsockopt(client, SOL_SOCKET, SO_ATTACH_FILTER, &program, socklen_t(MemoryLayout.size(ofValue: program)))
        }
    }

    /// Which of them can be read, or have ended, within a tenth of a second.
    static func wait(for descriptors: [Int32]) -> [Bool] {
        var waits = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        poll(&waits, nfds_t(waits.count), 100)
        return waits.map { $0.revents != 0 }
    }
}
