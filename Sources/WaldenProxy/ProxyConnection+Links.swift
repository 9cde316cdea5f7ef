import WaldenCore
import WaldenSession
import WaldenWire

extension ProxyConnection {
    func acquireLink(for demand: ServerDemand) {
        fail(
            ErrorResponse(severity: .fatal, sqlState: .internalError, message: "no pool of servers is configured"),
            cause: "server_unreachable")
    }

    func releaseServer() {
        machine?.detach()
        link?.close()
        link = nil
    }
}
