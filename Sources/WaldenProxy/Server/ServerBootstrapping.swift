import NIOCore
import NIOPosix
import WaldenCore

/// Makes connections to servers.
enum ServerBootstrapping {
    /// A connection whose link is known to its handler (`link(of:)`) from the first event on.
    static func connect(
        to endpoint: Endpoint, node: NodeID, on loop: any EventLoop, timeout: TimeAmount
    ) -> EventLoopFuture<any Channel> {
        let bootstrap = bootstrap(on: loop, timeout: timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let link = ServerLink(channel: channel, node: node)
                    try channel.pipeline.syncOperations.addHandler(ServerHandler(link))
                }
            }
        return connect(bootstrap, to: endpoint)
    }

    /// To be called on the channel's event loop.
    static func link(of channel: any Channel) throws -> ServerLink {
        try channel.pipeline.syncOperations.handler(type: ServerHandler.self).link
    }

    /// A connection that nobody listens on.
    static func connectOnly(
        to endpoint: Endpoint, on loop: any EventLoop, timeout: TimeAmount
    ) -> EventLoopFuture<any Channel> {
        connect(bootstrap(on: loop, timeout: timeout), to: endpoint)
    }

    private static func bootstrap(on loop: any EventLoop, timeout: TimeAmount) -> ClientBootstrap {
        ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .channelOption(.writeBufferWaterMark, value: ProxyServer.waterMark)
            .channelOption(.recvAllocator, value: ProxyServer.receiveAllocator)
    }

    private static func connect(
        _ bootstrap: ClientBootstrap, to endpoint: Endpoint
    ) -> EventLoopFuture<any Channel> {
        switch endpoint {
        case .tcp(let host, let port):
            bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelOption(.socketOption(.so_keepalive), value: 1)
                .connect(host: host, port: port)
        case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
        }
    }
}
