import Glibc
import Synchronization

/// Free TCP ports on loopback.
///
/// A port is taken from below the range of outgoing connections (`ip_local_port_range` begins at 32768), so that no
/// client of a parallel test can occupy it, and never twice in one process. Another process may still take it before
/// its user binds it: whoever starts a server tries again with another one.
public enum Ports {
    private static let taken = Mutex<Set<UInt16>>([])

    public static func free() throws -> Int {
        for _ in 0..<200 {
            let port = UInt16.random(in: 10_240..<32_700)
            let isNew = taken.withLock { $0.insert(port).inserted }
            if isNew, canBind(port) { return Int(port) }
        }
        throw TestKitError("no free TCP port on loopback")
    }

    /// The preferred port when it is free, else another one.
    public static func free(preferring port: UInt16) throws -> Int {
        let isNew = taken.withLock { $0.insert(port).inserted }
        return isNew && canBind(port) ? Int(port) : try free()
    }

    private static func canBind(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return withLoopbackAddress(port) { bind(descriptor, $0, $1) } == 0
    }
}

/// Calls `body` with 127.0.0.1 and the port.
func withLoopbackAddress<Result>(
    _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
}

/// Calls `body` with a Unix socket's address; nil when the path is too long for one.
func withUnixAddress<Result>(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
}
