import WaldenTestKit

extension System {
    /// Starts an instance of its own and waits until it keeps results.
    ///
    /// - Parameters:
    ///   - caching: Off makes it a plain relay.
    ///   - workers: Event loops; as many as it has processors to run on.
    static func walden(
        _ bench: Workbench, named name: String, caching: Bool = true, workers: Int = 2
    ) throws -> System {
        try bench.installWalden()
        var configuration = WaldenStack.Configuration()
        configuration.environment = [
            "WALDEN_CACHE_ENABLED": caching ? "true" : "false",
            "WALDEN_PROXY_WORKERS": String(workers),
            "WALDEN_CACHE_MAX_BYTES": "4GB",
            "WALDEN_CACHE_MAX_RESULT_BYTES": "2MB",
            // Misses are measured as well, so they must fill however little that pays.
            "WALDEN_CACHE_ADMISSION": "always",
            // `StreamSuite` stops the walsender for a while; the stream must not begin anew for that.
            "WALDEN_STREAM_MAX_SILENCE": "600s",
        ]
        let walden = try WaldenStack.startWalden(configuration, before: bench.cluster)
        if caching { try WaldenStack(cluster: bench.cluster, walden: walden).waitUntilCaching() }
        return try System(name, walden: walden, server: try bench.postmaster())
    }

    /// A pooler and no cache: it lets every client in, as the PgBouncer beside it does, and shares `links` server
    /// connections among them.
    static func waldenPool(_ bench: Workbench, links: Int, clients: Int = 500, workers: Int) throws -> System {
        var configuration = WaldenStack.Configuration()
        configuration.environment = [
            "WALDEN_CACHE_ENABLED": "false",
            "WALDEN_AUTH_METHOD": "trust",
            "WALDEN_POOL_SIZE": String(links),
            "WALDEN_PROXY_WORKERS": String(workers),
            "WALDEN_PROXY_MAX_CLIENTS": String(clients),
        ]
        let walden = try WaldenStack.startWalden(configuration, before: bench.cluster)
        return try System("walden-pooled", walden: walden, server: try bench.postmaster())
    }
}

extension WaldenProcess {
    func hits() throws -> Int { try figures().hits }
    func entries() throws -> Int { try figures().entries }
    /// Row changes that the stream brought.
    func changes() throws -> Int { try figures().json["stream"]["row_changes"].int ?? 0 }

    /// Waits until all that was committed before the position is in the cache.
    func waitUntilApplied(_ position: LogPosition) throws {
        try eventually("walden has applied all changes", timeout: .seconds(120)) {
            guard let text = try figures().json["stream"]["watermark"].string, let reached = LogPosition(text) else {
                throw TestKitError("no stream.watermark in /v1/status")
            }
            return reached >= position
        }
    }
}
