/// How a session whose client Walden authenticated shares servers with others.
public struct Pooling: Sendable {
    /// When a session gives its server back.
    public enum Mode: String, Hashable, Sendable, CaseIterable {
        /// After each transaction, unless something binds the session to its server.
        case transaction
        /// When the client leaves.
        case session
    }

    /// When the server is asked what binds the session to it.
    public enum Census: String, Hashable, Sendable, CaseIterable {
        /// After a unit whose statements may do so by what is known of them.
        case suspect
        /// After every unit that is not plainly read-only: triggers and functions may do so unseen.
        case always
    }

    public var mode: Mode
    public var census: Census
    public var statements: StatementNames
    /// The client came by the read-only address: no server of it is the primary, and replicas refuse its writes.
    public var isReadOnly = false

    public init(mode: Mode = .transaction, census: Census = .suspect, statements: StatementNames) {
        self.mode = mode
        self.census = census
        self.statements = statements
    }
}
