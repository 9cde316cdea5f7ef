import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The admin port could not be opened.
public struct AdminServerError: Error, Hashable, CustomStringConvertible {
    /// `host:port`, as it was asked for.
    public let address: String
    /// In words for people, from the operating system.
    public let reason: String

    public var description: String { "cannot listen on \(address) for admin requests: \(reason)" }

    init(address: String, reason: String) {
        self.address = address
        self.reason = reason
    }

    init(address: String, underlying error: any Error) {
        self.address = address
        switch error {
        case let error as IOError: reason = String(cString: strerror(error.errnoCode))
        case SocketAddressError.unknown: reason = "the host is not known"
        default: reason = String(describing: error)
        }
    }
}
