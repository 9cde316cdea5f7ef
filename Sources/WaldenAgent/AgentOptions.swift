/// What an agent is told at its start.
public struct AgentOptions: Sendable {
    /// PEM files; clients must show a certificate of `clientAuthority`'s.
    public struct TLSFiles: Sendable {
        public var certificate: String
        public var key: String
        public var clientAuthority: String

        public init(certificate: String, key: String, clientAuthority: String) {
            self.certificate = certificate
            self.key = key
            self.clientAuthority = clientAuthority
        }
    }

    public enum Listening: Sendable {
        case tls(host: String, port: Int, TLSFiles)
        /// Made with mode 0600: for the agent's own user.
        case socket(path: String)
    }

    public var dataDirectory: String
    public var listening: Listening
    /// For the agent's memory and the node's saved files; made when it is missing.
    public var stateDirectory: String
    /// Where `pg_ctl` and the others are. Nil: Debian's place for the data directory's version.
    public var binDirectory: String?
    /// `postgresql.conf`, where it is not in the data directory.
    public var configurationFile: String?
    /// Where a server that is started writes until its own logging begins. Nil: `server.log` in the state directory.
    public var serverLog: String?
    /// How the agent asks the server of its node. Nil: by its socket, database `postgres`, as the user that the agent is.
    public var server: String?
    /// For `pg_ctl start`, which waits for the end of recovery from a crash.
    public var startTimeout = Duration.seconds(900)
    /// For one run of `pg_rewind` or `pg_basebackup`.
    public var copyTimeout = Duration.seconds(12 * 3600)

    public init(dataDirectory: String, listening: Listening, stateDirectory: String) {
        self.dataDirectory = dataDirectory
        self.listening = listening
        self.stateDirectory = stateDirectory
    }
}

/// Why an agent does not do something.
public struct AgentError: Error, Hashable, Sendable, CustomStringConvertible {
    enum Kind: Hashable, Sendable {
        /// It will not be done, whoever asks again.
        case refused
        case failed
        /// Asked to stop, or overruled by a fence.
        case interrupted
    }

    let kind: Kind
    public let description: String

    static func refused(_ text: String) -> AgentError { AgentError(kind: .refused, description: text) }
    static func failed(_ text: String) -> AgentError { AgentError(kind: .failed, description: text) }
    static let interrupted = AgentError(kind: .interrupted, description: "interrupted")
}
