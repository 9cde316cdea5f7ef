import NIOCore
import NIOSSL
import Synchronization
public import WaldenCore
import WaldenSession

/// How clients may encrypt their connections. The modes mean what PgBouncer's `client_tls_sslmode` means by them.
public struct ClientTLSSettings: Hashable, Sendable {
    /// `disable`: SSLRequest is answered `N`. `allow` and `prefer`: clients choose. `require`: no session in the clear.
    /// `verify-ca` and `verify-full`: nor without a certificate that an authority in `caFile` has signed.
    public var mode: SSLMode
    public var certificateFile: String
    public var keyFile: String
    /// Authorities for clients' certificates; empty: none is asked for. Where the mode does not demand a certificate, one
    /// that a client presents must be good all the same, so that access rules may rely on it.
    public var caFile: String
    public var minimumVersion: MinimumTLSVersion

    public init(
        mode: SSLMode = .disable, certificateFile: String = "", keyFile: String = "", caFile: String = "",
        minimumVersion: MinimumTLSVersion = .tls12
    ) {
        self.mode = mode
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.caFile = caFile
        self.minimumVersion = minimumVersion
    }
}

/// What new clients are offered now: replaced as a whole, so that a reload touches no connection.
struct ClientTLS: Sendable {
    let context: NIOSSLContext
    let isRequired: Bool
    let serverEndPoint: [UInt8]?
    /// When the first certificate of the chain that expires does, in seconds since 1970.
    let expiresAt: Int

    /// Nil where the mode is `disable`.
    static func load(_ settings: ClientTLSSettings) throws(TLSFileProblem) -> ClientTLS? {
        settings.mode == .disable ? nil : try ClientTLS(settings)
    }

    private init(_ settings: ClientTLSSettings) throws(TLSFileProblem) {
        let chain = try TLSFiles.certificates(settings.certificateFile)
        let key = try TLSFiles.privateKey(settings.keyFile)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = settings.minimumVersion.version
        configuration.applicationProtocols = [ConnectionFront.applicationProtocol]
        if !settings.caFile.isEmpty {
            configuration.trustRoots = .certificates(try TLSFiles.certificates(settings.caFile))
            configuration.certificateVerification =
                settings.mode.verifies ? .noHostnameVerification : .optionalVerification
        }
        guard let context = try? NIOSSLContext(configuration: configuration) else {
            throw TLSFileProblem(
                path: settings.certificateFile, reason: "does not belong to the private key in \(settings.keyFile)")
        }
        self.context = context
        isRequired = settings.mode.isMandatory
        serverEndPoint = chain.first?.content?.endPointHash
        expiresAt = chain.map { Int($0.notValidAfter) }.min() ?? 0
    }
}
