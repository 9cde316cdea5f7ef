/// One step of a generated transaction.
enum Step: Hashable, Sendable {
    /// When the server refuses it, its effects alone are undone.
    case statement(String)
    case copy(String, data: String)
    case savepoint(String)
    case rollback(to: String)
    case release(String)

    var text: String {
        switch self {
        case .statement(let sql): sql
        case .copy(let sql, let data): "\(sql)\n\(data)\\."
        case .savepoint(let name): "SAVEPOINT \(name)"
        case .rollback(let name): "ROLLBACK TO SAVEPOINT \(name)"
        case .release(let name): "RELEASE SAVEPOINT \(name)"
        }
    }
}

/// One transaction of a generated world.
struct Change: Hashable, Sendable {
    enum Ending: Hashable, Sendable {
        case commit
        /// PREPARE TRANSACTION, then COMMIT PREPARED.
        case twoPhase
    }

    let steps: [Step]
    let ending: Ending

    var text: String {
        let ending = ending == .commit ? "COMMIT" : "PREPARE TRANSACTION 'walden'; COMMIT PREPARED 'walden'"
        return (["BEGIN"] + steps.map(\.text) + [ending]).map { "\($0);\n" }.joined()
    }
}
