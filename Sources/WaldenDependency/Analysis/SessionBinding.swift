/// Whether a statement may leave something on its server that the session needs later: a lock, a temporary object, a
/// channel listened to, a cursor, a prepared statement.
public enum SessionBinding: Int, Hashable, Sendable, Comparable {
    /// It leaves nothing, and takes nothing back.
    case none
    /// It may take back what an earlier statement left.
    case mayUnbind
    case mayBind

    public static func < (left: SessionBinding, right: SessionBinding) -> Bool { left.rawValue < right.rawValue }
}

extension SessionEffect {
    /// What an effect alone tells. Assignments to settings are told by themselves.
    public var binding: SessionBinding {
        switch self {
        case .readOnly, .writes, .transactionControl, .settings: .none
        case .preparedStatements, .temporaryObjects, .opaque: .mayBind
        }
    }
}
