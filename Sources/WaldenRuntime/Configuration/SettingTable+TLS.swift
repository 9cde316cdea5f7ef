import WaldenCore
import WaldenProxy
import WaldenSession

extension Setting {
    static let tls = clientTLS + serverTLS

    private static let clientTLS = [
        choice(
            "tls.client.mode", \.tls.clientMode, SSLMode.allCases.map(\.rawValue), isReloadable: true,
            "disable: no TLS to clients; allow, prefer: clients choose; require: no session in the clear; verify-ca, "
                + "verify-full: nor without a certificate that tls.client.ca_file has signed. Unix sockets are exempt."),
        file(
            "tls.client.cert_file", \.tls.clientCertificate, "The certificate shown to clients, and its chain, in PEM."),
        file("tls.client.key_file", \.tls.clientKey, "Its private key, readable for nobody else."),
        file(
            "tls.client.ca_file", \.tls.clientAuthorities,
            "Authorities for clients' certificates. Once it is given, a client that shows one must show a good one."),
        choice(
            "tls.client.min_version", \.tls.clientMinimumVersion, MinimumTLSVersion.allCases.map(\.rawValue),
            isReloadable: true, "The least version of TLS that clients may use."),
    ]

    private static let serverTLS = [
        Setting(
            key: "tls.server.mode", form: SSLMode.allCases.map(\.rawValue).joined(separator: "|"), isReloadable: true,
            help: "libpq's sslmode for clients' connections to servers. Without it, as the connection strings say.",
            show: { $0.tls.serverMode.isEmpty ? [] : [$0.tls.serverMode] },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                configuration.tls.serverMode = try Quantity.oneOf(texts[0], SSLMode.allCases.map(\.rawValue))
            }),
        file(
            "tls.server.ca_file", \.tls.serverAuthorities,
            "Authorities for servers' certificates (sslrootcert), or system. Without it, as the connection strings say."
        ),
        file(
            "tls.server.cert_file", \.tls.serverCertificate,
            "The certificate shown to servers (sslcert). Without it, as the connection strings say."),
        file(
            "tls.server.key_file", \.tls.serverKey,
            "Its private key (sslkey). Without it, as the connection strings say."),
        choice(
            "tls.server.negotiation", \.tls.serverNegotiation, ["postgres", "direct"], isReloadable: true,
            "direct: the handshake begins without a request first, which PostgreSQL 17 understands."),
    ]

    static func file(
        _ key: String, _ property: any WritableKeyPath<Configuration, String> & Sendable, isReloadable: Bool = true,
        _ help: String
    ) -> Setting {
        Setting(
            key: key, form: "FILE", isReloadable: isReloadable, help: help,
            show: { $0[keyPath: property].isEmpty ? [] : [$0[keyPath: property]] },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                guard !texts[0].isEmpty else { throw Quantity.Malformed(reason: "is empty") }
                configuration[keyPath: property] = texts[0]
            })
    }

    /// Who may say on whose behalf a connection comes, and what kind of listener it comes to.
    static let front = [
        Setting(
            key: "proxy.read_only_listen", form: "ADDRESS", isList: true,
            help: "Where clients connect that only read, as under listen.",
            show: { $0.readOnlyListen.map(\.spelled) },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                var addresses: [Endpoint] = []
                for text in texts { addresses.append(try Quantity.address(text)) }
                configuration.readOnlyListen = addresses
            }),
        choice(
            "proxy.proxy_protocol", \.proxyProtocol, ProxyHeaderPolicy.Mode.allCases.map(\.rawValue),
            "Whether load balancers tell clients' addresses by the PROXY protocol, version 1 or 2. accept: they may; "
                + "require: they must, and nobody else may connect over TCP."),
        Setting(
            key: "proxy.proxy_protocol_from", form: "CIDR", isList: true,
            help: "Where those load balancers are: an address, or a block of them.",
            show: { $0.proxyProtocolFrom.map(\.description) },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                var ranges: [AddressRange] = []
                for text in texts {
                    guard let range = AddressRange(text) else {
                        throw Quantity.Malformed(reason: "\"\(text)\" is no address or block of addresses")
                    }
                    ranges.append(range)
                }
                configuration.proxyProtocolFrom = ranges
            }),
        count(
            "proxy.peer_id", \.peerID, 0...CancelAddressing.instances.upperBound,
            "The number of this Walden among several behind one address; it is part of the cancel keys that clients get. "
                + "0: it is the only one."),
        Setting(
            key: "proxy.peers", form: "N=ADDRESS", isList: true,
            help:
                "Where those Waldens are reached, by their numbers: cancel requests that come to the wrong one are passed "
                + "on. The list may name this one, too.",
            show: { $0.peers.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.spelled)" } },
            read: { (texts, configuration) throws(Quantity.Malformed) in
                var peers: [Int: Endpoint] = [:]
                for text in texts {
                    let number = text.prefix { $0 != "=" }
                    guard number.count < text.count, let id = Int(number), CancelAddressing.instances.contains(id)
                    else {
                        throw Quantity.Malformed(reason: "\"\(text)\" is not N=ADDRESS with N from 1 to 127")
                    }
                    let address = try Quantity.address(String(text.dropFirst(number.count + 1)))
                    guard peers.updateValue(address, forKey: id) == nil else {
                        throw Quantity.Malformed(reason: "names \(id) twice")
                    }
                }
                configuration.peers = peers
            }),
    ]
}

extension Endpoint {
    /// As `Quantity.address` reads it.
    var spelled: String {
        switch self {
        case .tcp: description
        case .unix(let path): "unix:\(path)"
        }
    }
}
