import WaldenTestKit

/// A cluster of three servers with something that replaces its primary.
protocol FailoverSubject: AnyObject {
    static var name: String { get }
    /// Why it cannot be measured in this case; nil: it can.
    static func obstacle(_ fault: FailoverCase) -> String?
    static func start(for fault: FailoverCase) throws -> Self

    var address: FailoverLoad.Address { get }
    /// How long a succession may take before the run is given up.
    var patience: Duration { get }
    func inject(_ fault: FailoverCase) throws
    /// Past everything else to the server at that port.
    func connect(port: Int) throws -> SQLClient
    /// What it tells of the succession, for people.
    func story() throws -> String
    func end()
}

/// Walden with its defaults, `failover.mode: automatic`. Nothing of it runs on the servers' hosts.
final class WaldenSubject: FailoverSubject {
    static let name = "walden"

    private let stack: FailoverStack
    private let network: NetworkLab?

    static func obstacle(_ fault: FailoverCase) -> String? {
        fault == .partition ? NetworkLab.obstacle : nil
    }

    static func start(for fault: FailoverCase) throws -> WaldenSubject {
        try WaldenSubject(fault)
    }

    private init(_ fault: FailoverCase) throws {
        network = fault == .partition ? try NetworkLab(hosts: FailoverStack.names) : nil
        var configuration = FailoverStack.Configuration(schema: FailoverLoad.schema)
        configuration.network = network
        stack = try FailoverStack.start(configuration)
        // A session that calls a function before the catalog is known stays bound to its server, and ends with it.
        try stack.walden.waitForLog("the catalog has been read")
    }

    var address: FailoverLoad.Address { FailoverLoad.Address(dsn: stack.walden.dsn()) }
    let patience = Duration.seconds(60)

    func inject(_ fault: FailoverCase) throws {
        let primary = stack.cluster.primary
        switch fault {
        case .kill9, .node: try primary.kill()
        case .sigstop: primary.freeze()
        case .partition: try network?.unplug(primary.name)
        case .postmaster: try primary.killPostmaster()
        case .switchover:
            let result = try stack.order(["switchover", "--to", "standby1"])
            guard result.status.isSuccess else { throw TestKitError("walden switchover: \(result.transcript)") }
        }
    }

    func connect(port: Int) throws -> SQLClient {
        guard let server = stack.servers.first(where: { $0.port == port }) else {
            throw TestKitError("no server has the port \(port)")
        }
        return try server.connect()
    }

    func story() throws -> String {
        let list = try stack.order(["incidents"]).output
        guard let newest = list.split(separator: " ").first else { return "no incident" }
        return try stack.order(["incidents", "show", String(newest)]).transcript
    }

    func end() {
        stack.end()
    }
}
