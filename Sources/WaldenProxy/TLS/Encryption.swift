import Synchronization
import WaldenCore

/// The certificates and keys in use on both sides of the proxy, and their replacement.
final class Encryption: Sendable {
    private let clientState: Mutex<ClientTLS?>
    private let servers: [ServerTLS]
    /// For other Waldens, which get cancel requests: TLS where it is offered, by whatever certificate.
    let peer: ServerTLS

    init(_ configuration: ProxyConfiguration) throws(TLSFileProblem) {
        clientState = Mutex(try ClientTLS.load(configuration.clientTLS))
        var servers: [ServerTLS] = []
        for settings in configuration.serverTLS { servers.append(try ServerTLS(settings)) }
        self.servers = servers
        peer = try ServerTLS(ServerTLSSettings())
    }

    /// What new clients are offered; nil: nothing.
    var client: ClientTLS? { clientState.withLock { $0 } }

    /// Of a node that the configuration names.
    func server(_ node: NodeID) -> ServerTLS { servers[node.index] }

    /// - Returns: what is wrong with the new settings; what has a fault stays as it was.
    func replace(client: ClientTLSSettings, servers settings: [ServerTLSSettings]) -> [TLSFileProblem] {
        var problems: [TLSFileProblem] = []
        do throws(TLSFileProblem) {
            let new = try ClientTLS.load(client)
            clientState.withLock { $0 = new }
        } catch {
            problems.append(error)
        }
        for (server, new) in zip(servers, settings) {
            do throws(TLSFileProblem) {
                try server.replace(by: new)
            } catch {
                problems.append(error)
            }
        }
        return problems
    }

    var certificateExpiries: [String: Int] {
        var expiries: [String: Int] = [:]
        expiries["client"] = client?.expiresAt
        expiries["server"] = servers.compactMap(\.expiresAt).min()
        return expiries
    }
}
