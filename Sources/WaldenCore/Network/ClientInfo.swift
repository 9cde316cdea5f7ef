/// Who a client is, as far as its connection tells: for access rules, logs and the console.
///
/// It is complete once the client's startup message has been read. It holds no secret.
public struct ClientInfo: Hashable, Sendable {
    /// What the listener that accepted a client promises it.
    public enum Listener: Hashable, Sendable {
        case readWrite
        /// `proxy.read_only_listen`: the client asks for reads only.
        case readOnly
    }

    /// Where the client is: the socket's peer, or what a trusted load balancer said in its PROXY header.
    public var address: ClientAddress
    /// The load balancer, when it told the client's address.
    public var proxy: ClientAddress?
    public var listener: Listener
    /// Nil without encryption.
    public var tls: TLSSession?

    public init(
        address: ClientAddress, proxy: ClientAddress? = nil, listener: Listener = .readWrite, tls: TLSSession? = nil
    ) {
        self.address = address
        self.proxy = proxy
        self.listener = listener
        self.tls = tls
    }
}

/// One end of a connection.
public enum ClientAddress: Hashable, Sendable {
    /// A Unix-domain socket: the client is on this machine.
    case local
    case ip(IPAddress, port: Int)

    /// Nil for a Unix-domain socket.
    public var ip: IPAddress? {
        if case .ip(let address, _) = self { address } else { nil }
    }
}

extension ClientAddress: CustomStringConvertible {
    /// `192.0.2.1:5000`, `[2001:db8::1]:5000` or, as pg_hba.conf calls it, `local`.
    public var description: String {
        switch self {
        case .local: "local"
        case .ip(let address, let port): Endpoint.tcp(host: "\(address)", port: port).description
        }
    }
}

/// What is known of an encrypted connection after its handshake.
public struct TLSSession: Hashable, Sendable {
    /// As PostgreSQL's `pg_stat_ssl` writes it: `TLSv1.3`.
    public var version: String
    /// The data of the channel binding `tls-server-end-point` (RFC 5929, 4.1): the hash of the certificate that the
    /// listening side presented. Nil when that certificate's signature names no hash function.
    public var serverEndPoint: [UInt8]?
    /// The certificate that the connecting side presented, after it has been verified; nil when it presented none.
    public var clientCertificate: CertificateName?

    public init(version: String, serverEndPoint: [UInt8]? = nil, clientCertificate: CertificateName? = nil) {
        self.version = version
        self.serverEndPoint = serverEndPoint
        self.clientCertificate = clientCertificate
    }
}

/// Whom a certificate names.
public struct CertificateName: Hashable, Sendable {
    /// Nil when there is none, or one with a zero byte in it: as PostgreSQL, which refuses such a name because what it is
    /// compared with would end there (CVE-2009-4034).
    public var commonName: String?
    /// In the form of RFC 2253, as `clientname=DN` of pg_hba.conf compares it.
    public var distinguishedName: String

    public init(commonName: String?, distinguishedName: String) {
        self.commonName = commonName
        self.distinguishedName = distinguishedName
    }
}
