public import WaldenWire

/// What becomes of the server that a pooled session holds, when nothing more is to be sent for now.
public enum Settlement: Equatable, Sendable {
    /// It stays: something is under way, or binds the session to it.
    case keep
    /// Send the injection: Walden has a question, or something to clean up. Ask again when it is answered.
    case ask
    /// `detach()` it and give it back.
    case release
}

/// In which state a client that has gone leaves its server.
public enum Abandonment: Equatable, Sendable {
    /// As any other session may take it.
    case clean
    /// The same once ROLLBACK has been answered.
    case rollback
    /// Not to be used again.
    case close
}

/// What the loss of its server means for a session.
public enum ServerLoss: Equatable, Sendable {
    /// Nothing: the server is detached, the session goes on with the next one.
    case unnoticed
    /// A read that nothing was shown of yet: put these bytes back in front of the client's unread ones and go on.
    case rerun([UInt8])
    /// The session ends. The client is told this, unless the server has told it something before.
    case end(ErrorResponse?)
}
