import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals
import WaldenAdmin
import WaldenConsole
import WaldenCore
import WaldenPostgres
import WaldenProxy

/// `walden run`.
public enum Service {
    /// Runs until SIGTERM or SIGINT, then lets sessions come to a quiet moment.
    ///
    /// - Parameter reload: Reads the configuration again, for SIGHUP.
    /// - Throws: what kept a part from starting, e.g. an address in use. A server that cannot be reached does not.
    public static func run(
        _ configuration: Configuration, reload: @escaping @Sendable () throws -> Configuration
    ) async throws {
        let level = LogLevel(configuration.logLevel)
        let log = LogSetup.logger(format: configuration.logFormat, level: level)
        let instance = try Instance(configuration, log: log)
        let host = configuration.admin
        let admin = AdminServer(
            host: host.host, port: host.port, source: { instance.report() },
            questions: instance.questions, log: log.part("admin"))
        let reloader = Reloader(configuration: configuration, level: level, log: log, read: reload) {
            instance.adopt($0, insteadOf: $1)
        }
        let console = InstanceConsole(instance: instance, reloader: reloader)
        instance.proxy.serve(ConsoleServices(access: configuration.consoleAccess, source: console, commands: console))
        // Stopped in the opposite order: sessions first, while everything they need still works.
        var services: [any ServiceLifecycle.Service] = [
            ThreadService(instance: instance), CatalogService(catalog: instance.catalog, isOn: configuration.isCaching),
            AuditService(
                cache: instance.cache, isOn: configuration.isCaching && configuration.auditRate > 0,
                log: log.part("audit")),
            ReloadService(reloader: reloader), ConsoleHistoryService(console: console), admin,
            ProxyService(instance: instance, log: log.part("proxy")),
        ]
        if let agentCheck = instance.agentCheck(log) { services.insert(agentCheck, at: 0) }
        if let failover = instance.failover { services.insert(failover.controlServer(log), at: 0) }
        services.insert(Watchdog(group: instance.group), at: 0)
        // Below that it prints whole services.
        var quiet = log.part("lifecycle")
        quiet.logLevel = .notice
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) },
                gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet))
        do {
            try await group.run()
        } catch {
            try? await instance.group.shutdownGracefully()
            throw error
        }
        try await instance.group.shutdownGracefully()
        log.info("Walden has stopped")
    }
}

extension Endpoint {
    fileprivate var host: String {
        if case .tcp(let host, _) = self { host } else { "" }
    }

    fileprivate var port: Int {
        if case .tcp(_, let port) = self { port } else { 0 }
    }
}

/// The threads that speak libpq: stream, prober, node monitors.
private struct ThreadService: ServiceLifecycle.Service {
    let instance: Instance

    func run() async throws {
        try instance.startThreads()
        try? await gracefulShutdown()
        await instance.stopThreads()
    }
}

private struct CatalogService: ServiceLifecycle.Service {
    let catalog: CatalogKeeper
    let isOn: Bool

    func run() async throws {
        guard isOn else {
            try? await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown { await catalog.run() }
    }
}

private struct ProxyService: ServiceLifecycle.Service {
    let instance: Instance
    let log: Logger

    func run() async throws {
        let listeners = try await instance.proxy.listen()
        ServiceNotifier.notify("READY=1")
        try? await gracefulShutdown()
        ServiceNotifier.notify("STOPPING=1")
        instance.drain.begin()
        log.info("draining", metadata: ["clients": "\(instance.proxy.figures.clients)"])
        for listener in listeners { try? await listener.close() }
        await instance.proxy.drain(within: instance.configuration.drainTimeout)
        // The console holds on to the instance.
        instance.proxy.serve(nil)
    }
}

/// Reads the configuration again on SIGHUP.
private struct ReloadService: ServiceLifecycle.Service {
    let reloader: Reloader

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        await cancelWhenGracefulShutdown {
            // What goes wrong has been logged; the process goes on as it was.
            for await _ in signals { _ = try? reloader.reload() }
        }
    }
}

/// Keeps what the console shows of the past.
private struct ConsoleHistoryService: ServiceLifecycle.Service {
    let console: InstanceConsole

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                console.recordHistory()
                try? await Task.sleep(for: InstanceConsole.historyInterval)
            }
        }
    }
}
