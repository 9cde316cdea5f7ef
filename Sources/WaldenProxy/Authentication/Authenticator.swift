import Logging
import NIOCore
import NIOPosix
import Synchronization
import WaldenAuth
import WaldenCore
import WaldenWire

/// What all clients' authentications share: rules, secrets, and the threads for what takes time.
///
/// Event loops ask it; what it hands back arrives on the loop that asked.
final class Authenticator: Sendable {
    private struct State {
        var settings: AuthenticationSettings
        var cache: SecretCache
        /// The last question to the source failed; it has been logged.
        var isFailing = false
    }

    /// What is known of a user's secret.
    enum Lookup {
        /// - Parameter isRemembered: It was read a while ago.
        case known(StoredSecret?, isRemembered: Bool)
        /// Too many wait already.
        case overloaded
        case failed(SecretLookupFailure)
    }

    let mocks: MockSecrets
    private let state: Mutex<State>
    private let source: (any SecretSource)?
    private let log: Logger
    private let threads: NIOThreadPool
    private let waitingLimit: Int
    private let waitingCount = Atomic<Int>(0)

    init(_ settings: AuthenticationSettings, source: (any SecretSource)?, log: Logger) {
        mocks = MockSecrets(key: Self.random(32))
        state = Mutex(State(settings: settings, cache: SecretCache(lifetime: settings.cacheLifetime)))
        self.source = source
        self.log = log
        waitingLimit = settings.waitingLimit
        threads = NIOThreadPool(numberOfThreads: max(1, settings.threads))
        threads.start()
    }

    /// Bytes that nobody can foresee.
    static func random(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max) }
    }

    /// Clients that wait for one of the threads, or are served by one.
    var waiting: Int { waitingCount.load(ordering: .relaxed) }

    /// Nil: the server authenticates clients.
    var rules: AuthRules? { state.withLock { $0.settings.rules } }

    /// Takes other rules and users over, for clients to come; what is remembered goes. Threads and their limit stay, and
    /// so does whether Walden authenticates at all.
    func adopt(_ new: AuthenticationSettings) {
        state.withLock { state in
            guard (state.settings.rules == nil) == (new.rules == nil) else { return }
            state.settings = new
            state.cache = SecretCache(lifetime: new.cacheLifetime)
        }
    }

    func stop() async {
        try? await threads.shutdownGracefully()
    }

    // MARK: Secrets

    /// What the user file holds.
    func fileSecret(of user: String) -> StoredSecret? {
        state.withLock { $0.settings.users.secret(of: user) }
    }

    /// Looks a user's secret up: in the user file, in what is remembered unless `isFresh`, at the source.
    ///
    /// - Parameter done: Called once, at once or later, on `loop`.
    func lookUp(_ user: String, isFresh: Bool, on loop: any EventLoop, _ done: @escaping (Lookup) -> Void) {
        let now = Self.now
        let known: StoredSecret??
        var isRemembered = false
        (known, isRemembered) = state.withLock { state in
            if state.settings.users.lists(user) { return (state.settings.users.secret(of: user), false) }
            if isFresh { return (nil, false) }
            return (state.cache.secret(of: user, now: now), true)
        }
        if case .some(let secret) = known { return done(.known(secret, isRemembered: isRemembered)) }
        guard let source else { return done(.known(nil, isRemembered: false)) }
        run(on: loop) { () -> Result<StoredSecret?, SecretLookupFailure> in
            do throws(SecretLookupFailure) {
                return .success(try source.secret(of: user))
            } catch {
                return .failure(error)
            }
        } done: { result in
            switch result {
            case .success(let secret)?:
                self.state.withLock { state in
                    state.isFailing = false
                    state.cache.remember(secret, of: user, readAt: now)
                }
                done(.known(secret, isRemembered: false))
            case .failure(let failure)?:
                self.note(failure)
                done(.failed(failure))
            case nil: done(.overloaded)
            }
        }
    }

    /// Logs the first of failures in a row: each of many clients meets the same.
    private func note(_ failure: SecretLookupFailure) {
        let isNew = state.withLock { state in
            defer { state.isFailing = true }
            return !state.isFailing
        }
        guard isNew else { return }
        log.warning(
            "users' secrets cannot be read; clients are refused until they can",
            metadata: ["reason": "\(failure.reason)"])
    }

    /// A server has shown that what is remembered of the user is outdated.
    func forget(_ user: String) {
        state.withLock { $0.cache.forget(user) }
    }

    private static var now: Instant { Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds) }

    // MARK: Threads

    /// Computes a password's keys on another thread.
    func derive(_ work: KeyDerivation, on loop: any EventLoop, _ done: @escaping (Derived) -> Void) {
        run(on: loop) {
            work.keys()
        } done: { result in
            done(result.map { .keys($0) } ?? .overloaded)
        }
    }

    enum Derived {
        /// Nil: libcrypto refused.
        case keys(ScramKeys?)
        case overloaded
    }

    /// - Parameter done: Is given nil when too many wait, or the process ends.
    private func run<Value: Sendable>(
        on loop: any EventLoop, _ work: @escaping @Sendable () -> Value, done: @escaping (Value?) -> Void
    ) {
        guard waitingCount.add(1, ordering: .relaxed).newValue <= waitingLimit else {
            waitingCount.subtract(1, ordering: .relaxed)
            return done(nil)
        }
        threads.runIfActive(eventLoop: loop, work).assumeIsolated().whenComplete { result in
            self.waitingCount.subtract(1, ordering: .relaxed)
            done(try? result.get())
        }
    }
}
