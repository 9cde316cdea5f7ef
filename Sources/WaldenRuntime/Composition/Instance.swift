import Logging
import NIOCore
import NIOPosix
import WaldenCache
import WaldenCore
import WaldenDependency
import WaldenPostgres
import WaldenProxy
import WaldenSQLParser

/// One running Walden: the parts, wired together. The only place that knows them all.
///
///     stream thread ── StreamCoupling ──► cache ◄── ProberCoupling ── prober thread
///     event loops ──── proxy ───────────► cache ◄── CatalogKeeper
final class Instance: Sendable {
    let configuration: Configuration
    let cache: ResultCache
    let statements = StatementCatalog()
    let caching = CachingState()
    let stream: ReplicationStream
    let prober: Prober
    let streamCoupling: StreamCoupling
    let proberCoupling: ProberCoupling
    let catalog: CatalogKeeper
    let proxy: ProxyServer
    let group: MultiThreadedEventLoopGroup
    let surroundings: ProxySurroundings
    let startedAt = MonotonicClock.now()

    init(_ configuration: Configuration, log: Logger) throws {
        self.configuration = configuration
        let cache = ResultCache(configuration: configuration.cacheLimits)
        self.cache = cache
        let dsn = try DSN(configuration.primary)
        let catalog = CatalogKeeper(
            dsn: dsn, publication: configuration.publication, cache: cache, statements: statements, caching: caching,
            log: log.part("catalog"))
        self.catalog = catalog
        proberCoupling = ProberCoupling(cache: cache, log: log.part("control"))
        var probing = Prober.Configuration(dsn: dsn)
        probing.tickInterval = configuration.heartbeatInterval
        var generator = SystemRandomNumberGenerator()
        let prober = try Prober(probing, seed: generator.next(), delegate: proberCoupling)
        self.prober = prober
        streamCoupling = StreamCoupling(
            cache: cache, startProbe: StartProbe(dsn: dsn), log: log.part("stream"),
            catalogWanted: { catalog.refresh() }, probeWanted: { prober.requestProbe() })
        var streaming = ReplicationStream.Configuration(dsn: dsn)
        streaming.publication = configuration.publication
        streaming.maxSilence = configuration.maxSilence
        let stream = try ReplicationStream(streaming, seed: generator.next(), delegate: streamCoupling)
        self.stream = stream
        proberCoupling.attach(
            ProberCoupling.Hands(
                requestKeepalive: { stream.requestKeepalive() }, requestCatalog: { catalog.refresh() }))
        group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.workers)
        surroundings = ProxySurroundings(statements: statements, catalog: catalog, prober: prober)
        proxy = ProxyServer(
            configuration: try configuration.proxyConfiguration(dsn), group: group, cache: cache,
            delegate: surroundings, log: log.part("proxy"))
    }
}
