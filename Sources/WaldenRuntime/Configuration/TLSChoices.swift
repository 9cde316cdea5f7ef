import WaldenAuth
import WaldenCore
import WaldenPostgres
import WaldenProxy

/// The settings under `tls.client` and `tls.server`, as they were given. All take effect on reload.
struct TLSChoices: Hashable, Sendable {
    var clientMode = SSLMode.disable.rawValue
    var clientCertificate = ""
    var clientKey = ""
    var clientAuthorities = ""
    var clientMinimumVersion = MinimumTLSVersion.tls12.rawValue

    /// Empty: as the connection strings say.
    var serverMode = ""
    var serverAuthorities = ""
    var serverCertificate = ""
    var serverKey = ""
    /// `postgres` or `direct`.
    var serverNegotiation = "postgres"

    /// What the proxy offers its clients.
    var client: ClientTLSSettings {
        ClientTLSSettings(
            mode: SSLMode(rawValue: clientMode) ?? .disable, certificateFile: clientCertificate, keyFile: clientKey,
            caFile: clientAuthorities, minimumVersion: MinimumTLSVersion(rawValue: clientMinimumVersion) ?? .tls12)
    }

    /// How clients' connections to one server are encrypted. What is not set here comes from the server's connection
    /// string, then from the primary's, then from libpq's environment and its files in `~/.postgresql`.
    ///
    /// - Throws: what the connection strings ask for and clients' connections cannot have.
    func server(
        _ dsn: DSN, primary: DSN, home: HomeFiles = HomeFiles()
    ) throws(ConfigurationProblem) -> ServerTLSSettings {
        func option(_ option: DSN.TLSOption) -> String? { dsn.given(option) ?? primary.value(of: option) }
        let spelled = serverMode.isEmpty ? option(.mode) ?? SSLMode.prefer.rawValue : serverMode
        guard let mode = SSLMode(rawValue: spelled) else {
            throw ConfigurationProblem(origin: nil, key: "primary", reason: "sslmode \"\(spelled)\" is none of libpq's")
        }
        if mode != .disable, option(.revocationList) != nil || option(.revocationDirectory) != nil {
            throw ConfigurationProblem(
                origin: nil, key: "primary",
                reason: "certificate revocation lists (sslcrl, sslcrldir) are not supported for clients' connections")
        }
        var settings = ServerTLSSettings(mode: mode)
        settings.isDirect = serverNegotiation == "direct"
        if settings.isDirect, !mode.isMandatory {
            throw ConfigurationProblem(
                origin: nil, key: "tls.server.negotiation",
                reason: "direct needs a mode that knows no way without TLS, and \(mode.rawValue) does")
        }
        let roots = serverAuthorities.isEmpty ? option(.roots) ?? home.existing("root.crt") : serverAuthorities
        settings.roots = roots == "system" ? .system : roots.map { .file($0) } ?? .none
        if settings.roots == .system, mode != .verifyFull, mode != .disable {
            throw ConfigurationProblem(
                origin: nil, key: "tls.server.ca_file", reason: "system needs the mode verify-full, as in libpq")
        }
        let certificate =
            serverCertificate.isEmpty ? option(.certificate) ?? home.existing("postgresql.crt") : serverCertificate
        let key = serverKey.isEmpty ? option(.key) ?? home.path("postgresql.key") : serverKey
        if let certificate {
            settings.identity = ServerTLSSettings.Identity(
                certificateFile: certificate, keyFile: key ?? "",
                passphrase: (dsn.keyPassphrase ?? primary.keyPassphrase).map { Secret($0) })
        }
        settings.serverName = dsn.serverName
        if let version = option(.minimumVersion) {
            settings.minimumVersion = MinimumTLSVersion(rawValue: version) ?? settings.minimumVersion
        }
        return settings
    }
}

/// The files that libpq looks for in `~/.postgresql` where nothing else is said.
struct HomeFiles: Sendable {
    /// The home directory; nil where there is none.
    var directory: String? = ProcessFiles.home
    var exists: @Sendable (String) -> Bool = ProcessFiles.exists

    func path(_ name: String) -> String? { directory.map { "\($0)/.postgresql/\(name)" } }

    func existing(_ name: String) -> String? { path(name).flatMap { exists($0) ? $0 : nil } }
}
