import NIOCore
import Synchronization
import WaldenAuth
import WaldenSession
import WaldenWire

/// Cancel keys that Walden gave to its clients, and the clients' connections behind them (protocol chapter, Canceling
/// Requests in Progress).
final class CancelRegistry: Sendable {
    private struct Entry {
        let secret: Secret
        let client: NIOLoopBound<ProxyConnection>
        let loop: any EventLoop
    }

    /// Whose requests come to which instance.
    let addressing: CancelAddressing
    private let keys = Mutex<[Int32: Entry]>([:])

    init(_ addressing: CancelAddressing) {
        self.addressing = addressing
    }

    /// A new key with a random secret; nil when no free process number was found. To be called on the client's loop.
    ///
    /// - Parameters:
    ///   - secretByteCount: As the client's protocol version wants it.
    ///   - serverProcessID: Of the one server that the client ever has; nil: it may have several. The client is told it as
    ///     it is, for clients compare it with `pg_backend_pid()` and with senders of notifications, unless process numbers
    ///     tell instances apart.
    func register(
        _ client: ProxyConnection, on loop: any EventLoop, secretByteCount: Int, serverProcessID: Int32?
    ) -> BackendKeyData? {
        let secret = (0..<secretByteCount).map { _ in UInt8.random(in: .min ... .max) }
        let entry = Entry(secret: Secret(secret), client: NIOLoopBound(client, eventLoop: loop), loop: loop)
        return keys.withLock { keys in
            if addressing.instance == nil, let serverProcessID, serverProcessID > 0, keys[serverProcessID] == nil {
                keys[serverProcessID] = entry
                return BackendKeyData(processID: serverProcessID, secret: secret)
            }
            for _ in 0..<64 {
                let processID = addressing.processID(random: .random(in: .min ... .max))
                guard keys[processID] == nil else { continue }
                keys[processID] = entry
                return BackendKeyData(processID: processID, secret: secret)
            }
            return nil
        }
    }

    func remove(_ key: BackendKeyData) {
        keys.withLock { $0[key.processID] = nil }
    }

    /// Has the client's request cancelled, on the client's loop. A wrong secret is found out in a time that does not tell
    /// how much of it was right.
    ///
    /// - Parameter done: Called once, from any thread: when the server has acted on it, or there is nothing to do.
    func cancel(_ request: CancelRequest, done: @escaping @Sendable () -> Void) {
        let entry = keys.withLock { $0[request.processID] }
        guard let entry, entry.secret == Secret(request.secret) else { return done() }
        entry.loop.execute { entry.client.value.cancelRequested(done: done) }
    }
}
