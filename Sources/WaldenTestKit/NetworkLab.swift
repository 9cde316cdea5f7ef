import Glibc

/// Hosts with a network between them that can be cut, each way by itself: a network namespace for each, joined by a bridge
/// in one more. The test is the host `observer`. All of it ends with the last reference, or with this process: namespaces
/// have no names and live as long as their processes do, and an interface goes with its other end.
public final class NetworkLab: Sendable {
    public static let observer = "observer"

    private struct Host: Sendable {
        let address: String
        let interface: String
        /// Its namespace's process; nil: the test's own.
        let holder: ChildProcess?
        /// Its port at the bridge.
        let port: String
    }

    /// Of all hosts, in CIDR notation.
    public let subnet: String
    private let hosts: [String: Host]
    private let bridge: ChildProcess
    private let scratch: Scratch

    /// Why no network can be made here; nil: it can.
    public static let obstacle: String? = {
        do {
            _ = try NetworkLab(hosts: ["probe"])
            return nil
        } catch {
            return "\(error)"
        }
    }()

    public init(hosts names: [String]) throws {
        scratch = try Scratch()
        bridge = try Self.namespace(in: scratch)
        try Self.shell(
            in: bridge, "ip link set lo up; ip link add bridge type bridge; ip link set bridge up")
        let (octet, interface) = try Self.attach(to: bridge)
        subnet = "10.213.\(octet).0/24"
        var hosts = [
            Self.observer: Host(address: "10.213.\(octet).1", interface: interface, holder: nil, port: "observer")
        ]
        for (index, name) in names.enumerated() {
            let holder = try Self.namespace(in: scratch)
            let host = Host(
                address: "10.213.\(octet).\(index + 2)", interface: "uplink", holder: holder, port: "port\(index)")
            try Self.shell(
                in: bridge,
                """
                ip link add \(host.port) type veth peer name uplink netns \(holder.pid)
                ip link set \(host.port) master bridge up
                """)
            try Self.shell(
                in: holder,
                "ip link set lo up; ip addr add \(host.address)/24 dev uplink; ip link set uplink up")
            hosts[name] = host
        }
        self.hosts = hosts
    }

    deinit {
        scratch.end()
    }

    /// What is put before a command to run it on that host.
    func launcher(of name: String) throws -> [String] {
        try host(name).holder.map(Self.launcher) ?? []
    }

    public func address(of name: String) throws -> String { try host(name).address }

    // MARK: Cuts

    /// Nothing passes between the host and any other.
    public func unplug(_ name: String) throws {
        try Self.shell(in: bridge, "ip link set \(host(name).port) down")
    }

    public func plug(_ name: String) throws {
        try Self.shell(in: bridge, "ip link set \(host(name).port) up")
    }

    /// What the one sends to the other is lost, not the reverse: it goes to a hardware address that nobody has.
    public func cut(from one: String, to other: String) throws {
        let (from, to) = (try host(one), try host(other))
        try Self.shell(
            in: from.holder,
            "ip neigh replace \(to.address) lladdr 02:00:00:00:00:01 dev \(from.interface) nud permanent")
    }

    public func heal(from one: String, to other: String) throws {
        let (from, to) = (try host(one), try host(other))
        try Self.shell(in: from.holder, "ip neigh del \(to.address) dev \(from.interface)")
    }

    // MARK: Parts

    private func host(_ name: String) throws -> Host {
        guard let host = hosts[name] else { throw TestKitError("the network has no host \(name)") }
        return host
    }

    /// A process that does nothing, in a namespace of its own.
    private static func namespace(in scratch: Scratch) throws -> ChildProcess {
        let command = Command(["unshare", "--net", "sleep", "infinity"], in: scratch.path)
        let holder = try ChildProcess(command)
        try eventually("a network namespace") {
            guard holder.isRunning else { throw TestKitError("unshare --net is refused") }
            let link = Files.linkTarget("/proc/\(holder.pid)/ns/net")
            return link != nil && link != Files.linkTarget("/proc/self/ns/net")
                && ProcessTable.name(of: holder.pid) == "sleep"
        }
        return holder
    }

    /// The observer's interface: a subnet of 254 and a name that nobody uses.
    private static func attach(to bridge: ChildProcess) throws -> (octet: Int, interface: String) {
        var refusal: (any Error)?
        for _ in 0..<20 {
            let octet = Int.random(in: 1...254)
            let interface = "walden\(octet)"
            do {
                try shell(in: nil, "ip link add \(interface) type veth peer name observer netns \(bridge.pid)")
            } catch {
                refusal = error
                continue
            }
            try shell(in: bridge, "ip link set observer master bridge up")
            try shell(in: nil, "ip addr add 10.213.\(octet).1/24 dev \(interface); ip link set \(interface) up")
            return (octet, interface)
        }
        throw refusal ?? TestKitError("no free subnet")
    }

    private static func launcher(_ holder: ChildProcess) -> [String] {
        ["nsenter", "--net=/proc/\(holder.pid)/ns/net", "--"]
    }

    private static func shell(in holder: ChildProcess?, _ script: String) throws {
        try ProcessRunner.check((holder.map(launcher) ?? []) + ["sh", "-ec", script])
    }
}
