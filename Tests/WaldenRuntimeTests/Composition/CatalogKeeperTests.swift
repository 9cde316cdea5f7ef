import Glibc
import Logging
import Testing
import WaldenCache
import WaldenCore
import WaldenPostgres
import WaldenSQLParser

@testable import WaldenRuntime

/// Hazard: the primary hangs in the middle of a question, and another one takes its place. Nothing is cached before the
/// catalog has been read there.
@Suite struct CatalogKeeperTests {
    /// Takes a connection and never says a word.
    private final class SilentServer: Sendable {
        let port: UInt16
        private let descriptor: Int32

        init() throws {
            let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            descriptor = listener
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isBound = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, length) == 0 && listen(listener, 8) == 0
                        && getsockname(listener, $0, &length) == 0
                }
            }
            try #require(isBound)
            port = UInt16(bigEndian: address.sin_port)
        }

        deinit { close(descriptor) }

        func dsn() throws -> DSN {
            try DSN("host=127.0.0.1 port=\(port) user=walden dbname=shop sslmode=disable connect_timeout=600")
        }

        /// Until somebody has connected.
        func awaitClient() async throws {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            while poll(&waiting, 1, 0) == 0 { try await Task.sleep(for: .milliseconds(2)) }
            // Kept open until the process ends: nothing is said, and nothing is closed.
            _ = accept(descriptor, nil, nil)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aPrimaryThatHangsIsNotWaitedForWhenAnotherTookItsPlace() async throws {
        let (old, new) = (try SilentServer(), try SilentServer())
        let log = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let keeper = try CatalogKeeper(
            dsn: old.dsn(), publication: "walden", pollsSchema: false,
            cache: ResultCache(configuration: CacheConfiguration()), statements: StatementCatalog(isCaching: true),
            caching: CachingState(), log: log, streamRuns: { true })
        let running = Task { await keeper.run() }
        try await old.awaitClient()
        try keeper.primaryChanged(new.dsn())
        try await new.awaitClient()
        // Nor when it ends.
        running.cancel()
        await running.value
    }
}
