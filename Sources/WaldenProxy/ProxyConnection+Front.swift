import Logging
import NIOCore
import NIOSSL
import NIOTLS
import WaldenCore
import WaldenSession
import WaldenWire

/// The connection's beginning: PROXY header, encryption, startup message.
extension ProxyConnection {
    /// Learns where the client is and what its listener demands; false when it is not admitted at all.
    func openFront(_ channel: any Channel) -> Bool {
        guard let address = ClientAddress(channel.remoteAddress) else {
            close(cause: "client_closed")
            return false
        }
        info.address = address
        guard let header = context.configuration.proxyHeader.use(for: info.address) else {
            refuse(.missingProxyHeader)
            return false
        }
        offeredTLS = info.address == .local ? nil : context.encryption.client
        let encryption: FrontPolicy.Encryption =
            switch offeredTLS?.isRequired {
            case nil: .unavailable
            case false?: .offered
            case true?: .required
            }
        front = ConnectionFront(FrontPolicy(proxyHeader: header, encryption: encryption))
        return true
    }

    func processFront() {
        while state == .startup {
            switch clientInput.withUnsafeReadableBytes({ front.next($0.bytes) }) {
            case .needMore: return
            case .proxied(let byteCount, let source):
                clientInput.moveReaderIndex(forwardBy: byteCount)
                guard let source else { continue }
                info.proxy = info.address
                info.address = source
            case .declined(let byteCount):
                clientInput.moveReaderIndex(forwardBy: byteCount)
                clientOutput.writeStaticString("N")
                flushClient()
            case .beginTLS(let byteCount): beginTLS(afterRequest: byteCount)
            case .cancel(let request):
                clientInput.clear()
                bringCancel(request)
            case .start(let message, let byteCount):
                clientInput.moveReaderIndex(forwardBy: byteCount)
                begin(message)
            case .refuse(let fault): refuse(fault)
            }
        }
    }

    /// Puts TLS in front of the pipeline. The answer to the request is in the channel, in the clear, by then; bytes that
    /// came without a request are the handshake's.
    private func beginTLS(afterRequest byteCount: Int) {
        guard let client, let offeredTLS else { return close(cause: "tls_refused") }
        clientInput.moveReaderIndex(forwardBy: byteCount)
        if byteCount > 0 {
            clientOutput.writeStaticString("S")
            flushClient()
        }
        clientOutput.usePipeline()
        let handshake = clientInput
        clientInput = ByteBuffer()
        let operations = client.pipeline.syncOperations
        do {
            try operations.addHandler(NIOSSLServerHandler(context: offeredTLS.context), position: .first)
        } catch {
            return close(cause: "tls_refused")
        }
        guard handshake.readableBytes > 0 else { return }
        operations.fireChannelRead(NIOAny(handshake))
        operations.fireChannelReadComplete()
    }

    func tlsEstablished(applicationProtocol: String?) {
        guard state == .startup, let client else { return }
        if let fault = front.tlsEstablished(applicationProtocol: applicationProtocol) { return refuse(fault) }
        info.tls = TLSSession(peerOf: client, isServer: true, serverEndPoint: offeredTLS?.serverEndPoint)
        offeredTLS = nil
    }

    /// The channel has failed; it will be closed.
    func clientFailed(_ error: any Error) {
        // A peer that is gone without a farewell, and one that was never there.
        guard state == .startup, offeredTLS != nil, error is NIOSSLError else { return }
        context.log.info(
            "a client's TLS handshake failed", metadata: ["client": "\(info.address)", "error": "\(error)"])
        close(cause: "tls_handshake")
    }

    private func refuse(_ fault: FrontFault) {
        context.log.info("a client was refused", metadata: ["client": "\(info.address)", "reason": "\(fault)"])
        if let response = fault.response {
            fail(response, cause: fault.label)
        } else {
            close(cause: fault.label)
        }
    }
}

extension ClientAddress {
    /// Nil when the peer is gone already.
    init?(_ address: SocketAddress?) {
        switch address {
        case .v4, .v6:
            guard let ip = address?.ipAddress.flatMap({ IPAddress($0) }) else { return nil }
            self = .ip(ip, port: address?.port ?? 0)
        case .unixDomainSocket: self = .local
        case nil: return nil
        }
    }
}
