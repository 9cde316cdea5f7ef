import Logging
import NIOCore
import NIOPosix
import WaldenCache
import WaldenConsole
import WaldenCore
import WaldenDependency
import WaldenFailover
import WaldenPostgres
import WaldenProxy
import WaldenSQLParser
import WaldenSentinel

/// One running Walden: the parts, wired together. The only place that knows them all.
///
///     stream thread ── StreamCoupling ──► cache ◄── ProberCoupling ── prober thread
///     event loops ──── proxy ───────────► cache ◄── CatalogKeeper
final class Instance: Sendable {
    let configuration: Configuration
    /// As the configuration names it.
    let configuredPrimary: DSN
    let cache: ResultCache
    let statements: StatementCatalog
    let caching = CachingState()
    let services: PrimaryServices
    let streamCoupling: StreamCoupling
    let proberCoupling: ProberCoupling
    let catalog: CatalogKeeper
    let proxy: ProxyServer
    let nodes: NodeBoard
    let routes: RouteTable
    let group: MultiThreadedEventLoopGroup
    let startedAt = MonotonicClock.now()
    let drain = DrainFlag()
    private let monitors: [NodeMonitor]
    private let secrets: PrimarySecrets?
    private let commits: CommitWatch?
    /// By `NodeID.index`.
    let servers: [DSN]
    /// Nil while the nodes keep their roles.
    let failover: FailoverService?

    init(_ configuration: Configuration, log: Logger) throws {
        self.configuration = configuration
        let primary = try DSN(configuration.primary)
        configuredPrimary = primary
        let cache = ResultCache(configuration: configuration.cacheLimits)
        self.cache = cache

        let servers = [primary] + (try configuration.replicas.map { text throws(PostgresError) in try DSN(text) })
        self.servers = servers
        let sentinel = try FailoverService.sentinel(of: configuration, servers, log: log)
        // Whoever the last sentinel made the primary.
        let first = sentinel?.recorded?.primary ?? .configuredPrimary

        let proberCoupling = ProberCoupling(cache: cache, log: log.part("control"))
        self.proberCoupling = proberCoupling
        let hands = ProberCoupling.Hands()
        let streamCoupling = StreamCoupling(
            cache: cache, startProbe: StartProbe(dsn: servers[first.index]), log: log.part("stream"),
            catalogWanted: { hands.requestCatalog() }, probeWanted: { hands.requestProbe() })
        self.streamCoupling = streamCoupling
        let statements = StatementCatalog(isCaching: configuration.isCaching)
        statements.replaceRules(RuleSet(configuration.rules))
        statements.replaceFunctions(DeclaredFunctions(configuration.functions))
        self.statements = statements
        let catalog = try CatalogKeeper(
            dsn: servers[first.index], publication: configuration.publication, pollsSchema: configuration.pollsSchema,
            cache: cache, statements: statements, caching: caching, log: log.part("catalog"),
            streamRuns: { hands.isStreaming })
        self.catalog = catalog
        let services = try PrimaryServices(at: first) { node throws(PostgresError) in
            var generator = SystemRandomNumberGenerator()
            var probing = Prober.Configuration(dsn: servers[node.index])
            probing.tickInterval = configuration.tickInterval
            probing.watchesSchema = configuration.pollsSchema
            var streaming = ReplicationStream.Configuration(dsn: servers[node.index])
            streaming.publication = configuration.publication
            streaming.maxSilence = configuration.maxSilence
            return (
                try ReplicationStream(streaming, seed: generator.next(), delegate: streamCoupling),
                try Prober(probing, seed: generator.next(), delegate: proberCoupling)
            )
        } changed: { node in
            proberCoupling.primaryChanged()
            streamCoupling.primaryChanged(StartProbe(dsn: servers[node.index]))
            catalog.primaryChanged(servers[node.index])
        }
        self.services = services
        hands.attach(services, catalog: { catalog.refresh() })
        proberCoupling.attach(hands)

        let routes = RouteTable(isOn: configuration.isRouting, weights: configuration.routeWeights, primary: first)
        self.routes = routes
        let nodes = NodeBoard(names: configuration.nodeNames, routes: routes)
        self.nodes = nodes
        proberCoupling.attach(nodes)
        var generator = SystemRandomNumberGenerator()
        let monitors = try servers.enumerated().map { index, dsn in
            try NodeMonitor(
                NodeMonitor.Configuration(node: NodeID(index), dsn: dsn), seed: generator.next(), delegate: nodes)
        }
        self.monitors = monitors
        routes.attach { node in
            if monitors.indices.contains(node.index) { monitors[node.index].wake() }
        }
        group = MultiThreadedEventLoopGroup(
            numberOfThreads: configuration.workers > 0 ? configuration.workers : System.coreCount)
        let surroundings = ProxySurroundings(statements: statements, catalog: catalog, services: services)
        let secrets =
            configuration.auth.asksPrimary
            ? PrimarySecrets(try RoleSecrets(dsn: servers[first.index], query: configuration.auth.query)) : nil
        self.secrets = secrets
        let commits = configuration.failover.isOn ? try CommitWatch(configuration.failover.reach(servers)) : nil
        self.commits = commits
        do {
            let serverTLS = try Self.serverTLS(configuration, servers)
            var proxying = configuration.proxyConfiguration(primary, serverTLS: serverTLS)
            proxying.replicas = servers.dropFirst().map(\.endpoint)
            proxying.authentication = try configuration.auth.settings(ownAddresses: Self.ownAddresses())
            proxy = try ProxyServer(
                configuration: proxying, group: group, cache: cache, routes: routes, delegate: surroundings,
                secrets: secrets, commits: commits, log: log.part("proxy"))
            let proxy = proxy
            proberCoupling.attach(sessionDefaultsChanged: { proxy.sessionDefaultsChanged() })
            nodes.attach(
                replayed: { cache.standbysReplayed($0) }, lost: { proxy.nodeLost($0, reason: $1) })
            let parts = Succession.Parts(
                proxy: proxy, services: services, nodes: nodes, cache: cache, secrets: secrets, servers: servers)
            failover = try sentinel.map { sentinel throws(ConfigurationProblem) in
                try FailoverService(sentinel, configuration.failover, parts, log: log)
            }
        } catch let problem as ConfigurationProblem {
            throw InvalidConfiguration(problems: [problem])
        } catch let problem as TLSFileProblem {
            throw InvalidConfiguration(
                problems: [ConfigurationProblem(origin: nil, key: "tls", reason: problem.description)])
        }
    }

    private static func serverTLS(
        _ configuration: Configuration, _ servers: [DSN]
    ) throws(ConfigurationProblem) -> [ServerTLSSettings] {
        var settings: [ServerTLSSettings] = []
        for server in servers { settings.append(try configuration.tls.server(server, primary: servers[0])) }
        return settings
    }

    /// Of this machine's network interfaces.
    private static func ownAddresses() -> Set<IPAddress> {
        let devices = (try? System.enumerateDevices()) ?? []
        return Set(devices.compactMap { $0.address?.ipAddress.flatMap { IPAddress($0) } })
    }

    /// Takes over what can change while it runs. What was kept under other rules goes. Certificates and keys are read
    /// again even where the configuration is the same, for the files may have changed.
    ///
    /// - Returns: what could not be taken over, and why; that stays as it was.
    func adopt(_ new: Configuration, insteadOf old: Configuration) -> [String] {
        adoptRules(new, insteadOf: old)
        var access = new.consoleAccess
        access.database = configuration.consoleDatabase
        proxy.adopt(access)
        if new.pool != old.pool { proxy.adopt(new.poolSettings) }
        var problems: [String] = []
        do throws(ConfigurationProblem) {
            var auth = new.auth
            auth.method = old.auth.method
            proxy.adopt(authentication: try auth.settings(ownAddresses: Self.ownAddresses()))
        } catch {
            problems.append(error.description)
        }
        do throws(ConfigurationProblem) {
            let serverTLS = try Self.serverTLS(new, servers)
            problems += proxy.adopt(clientTLS: new.tls.client, serverTLS: serverTLS).map(\.description)
        } catch {
            problems.append(error.description)
        }
        return problems
    }

    private func adoptRules(_ new: Configuration, insteadOf old: Configuration) {
        guard new.rules != old.rules || new.functions != old.functions else { return }
        statements.replaceRules(RuleSet(new.rules))
        statements.replaceFunctions(DeclaredFunctions(new.functions))
        cache.flush()
        // A miss that was judged by the old rules may be on its way to the cache.
        catalog.readAnew()
    }

    /// Begins to follow the cluster.
    func startThreads() throws {
        for monitor in monitors { try monitor.start() }
        if configuration.isCaching { try services.start() }
        try failover?.start()
    }

    /// Ends the threads and waits for them, off the cooperative pool.
    func stopThreads() async {
        secrets?.stop()
        commits?.stop()
        for monitor in monitors { monitor.stop() }
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        try? await pool.runIfActive { [self] in
            failover?.stop()
            services.stop()
            for monitor in monitors { monitor.join() }
        }
        try? await pool.shutdownGracefully()
        await failover?.finish()
    }
}
