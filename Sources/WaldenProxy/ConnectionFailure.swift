import Glibc
import NIOCore
import NIOPosix

/// What kept a socket from being bound or connected, in words for people.
enum ConnectionFailure {
    static func words(for error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first { return words(for: first.error) }
            return "the name \(error.host) cannot be resolved"
        case ChannelError.connectTimeout(let time): return "no answer within \(time.nanoseconds / 1_000_000) ms"
        case ChannelError.alreadyClosed: return "the connection was closed at once"
        case let error as IOError: return String(cString: strerror(error.errnoCode))
        default: return "\(error)"
        }
    }
}

/// An address could not be bound.
public struct ListenError: Error, CustomStringConvertible {
    public let address: String
    public let reason: String

    public var description: String { "cannot listen on \(address): \(reason)" }
}
