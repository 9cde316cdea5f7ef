import Synchronization
import WaldenWire

/// Cancel keys that Walden gave to its clients, and the server's keys behind them (protocol chapter, cancelling
/// requests in progress).
final class CancelRegistry: Sendable {
    private let keys = Mutex<[Int32: Entry]>([:])

    private struct Entry {
        let secret: [UInt8]
        let server: BackendKeyData
    }

    /// A new random key that stands for `server`; nil when no free process number was found.
    ///
    /// - Parameter secretByteCount: As the client's protocol version wants it.
    func register(_ server: BackendKeyData, secretByteCount: Int) -> BackendKeyData? {
        keys.withLock { keys in
            for _ in 0..<64 {
                let processID = Int32.random(in: 1...Int32.max)
                guard keys[processID] == nil else { continue }
                let secret = (0..<secretByteCount).map { _ in UInt8.random(in: .min ... .max) }
                keys[processID] = Entry(secret: secret, server: server)
                return BackendKeyData(processID: processID, secret: secret)
            }
            return nil
        }
    }

    func remove(_ key: BackendKeyData) {
        keys.withLock { $0[key.processID] = nil }
    }

    /// The server's key for a client's, in time that does not tell how much of the secret was right.
    func server(processID: Int32, secret: [UInt8]) -> BackendKeyData? {
        keys.withLock { keys in
            guard let entry = keys[processID], entry.secret.count == secret.count else { return nil }
            let difference = zip(entry.secret, secret).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
            return difference == 0 ? entry.server : nil
        }
    }
}
