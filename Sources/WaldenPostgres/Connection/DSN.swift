internal import CLibPQ
public import WaldenCore

/// A connection string as libpq understands it (PostgreSQL documentation, "Connection Strings"): a URI or
/// `keyword=value` pairs. What it leaves out comes from the environment (`PGHOST`, `PGUSER` …) as with psql.
///
/// Its description leaves secrets out, so a DSN may be logged; only `password` gives one away.
public struct DSN: Hashable, Sendable {
    private var values: [String: String]
    private let defaults: [String: String]

    /// Parses `text`. The error never repeats parts of `text` when it may hold a password.
    public init(_ text: String) throws(PostgresError) {
        try self.init(text, defaults: Self.environment())
    }

    init(_ text: String, defaults: [String: String]) throws(PostgresError) {
        values = try Self.parse(text)
        self.defaults = defaults
        if values["service"] != nil {
            throw PostgresError(.invalidDSN, "service files are not supported", cure: "spell out host and dbname")
        }
        try checkPorts()
    }

    /// The value of a libpq keyword, from the string or the environment.
    private func value(_ keyword: String) -> String? {
        if let value = values[keyword], !value.isEmpty { return value }
        return defaults[keyword].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// As given: the name to verify a certificate against; possibly a list, possibly a directory of sockets.
    public var host: String? { value("host") }
    public var user: String? { value("user") }
    /// The user's name unless given, as in libpq.
    public var database: String? { value("dbname") ?? user }
    public var password: String? { value("password") }
    /// `disable`, `allow`, `prefer` (the default), `require`, `verify-ca` or `verify-full`.
    public var sslMode: String { value("sslmode") ?? "prefer" }

    /// The keywords that say how connections are encrypted and by what they are verified.
    public enum TLSOption: String, Sendable {
        case mode = "sslmode"
        case roots = "sslrootcert"
        case certificate = "sslcert"
        case key = "sslkey"
        case revocationList = "sslcrl"
        case revocationDirectory = "sslcrldir"
        case minimumVersion = "ssl_min_protocol_version"
    }

    /// What the string itself says.
    public func given(_ option: TLSOption) -> String? {
        values[option.rawValue].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// What the string or the environment says, or libpq's default.
    public func value(of option: TLSOption) -> String? { value(option.rawValue) }

    /// What the client's private key is encrypted with. A secret.
    public var keyPassphrase: String? { value("sslpassword") }

    /// The first host named: what a server's certificate must name. Nil for a Unix-domain socket.
    public var serverName: String? {
        guard let host = candidates.first?.host, !host.isEmpty, !host.hasPrefix("/"), !host.hasPrefix("@") else {
            return nil
        }
        return host
    }

    /// Seconds to wait for one server to accept a connection: `connect_timeout`, else 5.
    public var connectTimeout: Duration {
        guard let text = value("connect_timeout"), let seconds = Int(text), seconds > 0 else { return .seconds(5) }
        return .seconds(max(2, min(seconds, 3600)))
    }

    /// The first server named.
    public var endpoint: Endpoint { endpoints[0] }

    /// All servers named, in order; never empty.
    public var endpoints: [Endpoint] { candidates.map(\.soleEndpoint) }

    /// The same for another database of the same server.
    public func with(database: String) -> DSN {
        var copy = self
        copy.values["dbname"] = database
        return copy
    }
}

// MARK: - Several hosts

extension DSN {
    /// One DSN per server named, so that each can be tried within a time of its own.
    var candidates: [DSN] {
        let hosts = Self.list(value("host"))
        let addresses = Self.list(value("hostaddr"))
        let ports = Self.list(value("port"))
        return (0..<max(hosts.count, addresses.count, 1)).map { index in
            var copy = self
            copy.values["host"] = index < hosts.count ? hosts[index] : ""
            copy.values["hostaddr"] = index < addresses.count ? addresses[index] : ""
            copy.values["port"] = ports.count > 1 ? (index < ports.count ? ports[index] : "") : ports.first ?? ""
            return copy
        }
    }

    private static func list(_ value: String?) -> [String] {
        guard let value else { return [] }
        return value.split(separator: ",", omittingEmptySubsequences: false).map { ErrorText.trimmed($0) }
    }

    private func checkPorts() throws(PostgresError) {
        for port in Self.list(value("port")) where !port.isEmpty {
            guard let number = Int(port), (1...65535).contains(number) else {
                throw PostgresError(.invalidDSN, "the port is not a number from 1 to 65535")
            }
        }
    }

    private var soleEndpoint: Endpoint {
        let port = Self.list(value("port")).first.flatMap(Int.init) ?? 5432
        let host = values["hostaddr"].flatMap { $0.isEmpty ? nil : $0 } ?? value("host")
        guard let host else { return .unix(path: "\(Self.socketDirectory)/.s.PGSQL.\(port)") }
        // An at sign marks the abstract namespace, which has no file.
        if host.hasPrefix("/") || host.hasPrefix("@") { return .unix(path: "\(host)/.s.PGSQL.\(port)") }
        return .tcp(host: host, port: port)
    }

    /// Where Debian's libpq looks when no host is given.
    private static let socketDirectory = "/var/run/postgresql"
}

// MARK: - libpq's parser

extension DSN {
    /// Every keyword that libpq is to be given, with `additions` where the string does not say otherwise.
    func parameters(adding additions: [String: String]) -> [String: String] {
        values.filter { !$0.value.isEmpty }.merging(additions) { given, _ in given }
    }

    private static func parse(_ text: String) throws(PostgresError) -> [String: String] {
        var message: UnsafeMutablePointer<CChar>?
        let options = PQconninfoParse(text, &message)
        defer {
            PQconninfoFree(options)
            PQfreemem(message)
        }
        guard let options else {
            let reason = message.map { ErrorText.parse(String(cString: $0)).message } ?? "out of memory"
            throw PostgresError(.invalidDSN, mayHoldSecret(text) ? withoutQuotes(reason) : reason)
        }
        return collect(options)
    }

    private static func environment() -> [String: String] {
        let options = PQconndefaults()
        defer { PQconninfoFree(options) }
        guard let options else { return [:] }
        return collect(options)
    }

    private static func collect(_ options: UnsafeMutablePointer<PQconninfoOption>) -> [String: String] {
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return values
    }

    private static func mayHoldSecret(_ text: String) -> Bool {
        text.lowercased().contains("password") || text.contains("@")
    }

    /// libpq quotes what it stumbled over, and that may be half of a password with a space in it.
    static func withoutQuotes(_ message: String) -> String {
        let parts = message.split(separator: "\"", omittingEmptySubsequences: false)
        return parts.enumerated().map { index, part in index.isMultiple(of: 2) ? String(part) : "…" }
            .joined(separator: "\"")
    }
}

extension DSN: CustomStringConvertible, CustomReflectable {
    private static let secrets: Set<String> = ["password", "sslpassword"]

    /// `keyword=value` pairs in a fixed order, secrets as `***`.
    public var description: String {
        let first = ["host", "hostaddr", "port", "dbname", "user"]
        let rest = values.keys.filter { !first.contains($0) }.sorted()
        return (first + rest).compactMap { keyword in
            guard let value = values[keyword], !value.isEmpty else { return nil }
            return "\(keyword)=\(Self.secrets.contains(keyword) ? "***" : Self.quoted(value))"
        }.joined(separator: " ")
    }

    /// So that `dump` and string interpolation of enclosing values cannot show what `description` hides.
    public var customMirror: Mirror { Mirror(self, children: []) }

    private static func quoted(_ value: String) -> String {
        guard value.contains(where: { $0.isWhitespace || $0 == "'" || $0 == "\\" }) else { return value }
        let escaped = value.flatMap { $0 == "'" || $0 == "\\" ? ["\\", $0] : [$0] }
        return "'\(String(escaped))'"
    }
}
