import WaldenDependency

/// What a statement's syntax says of its effect on the session.
struct EffectReader {
    let tree: ParseTree
    let source: [UInt8]

    func effect(of node: Int) -> SessionEffect {
        let kind = tree.key(of: node)
        switch kind {
        case "SelectStmt": return selectEffect(node)
        case "VariableSetStmt": return SettingReader(tree: tree, source: source).effect(of: node)
        case "VariableShowStmt", "ListenStmt", "UnlistenStmt", "ClosePortalStmt": return .readOnly
        case "TransactionStmt": return transactionEffect(node)
        case "DiscardStmt": return discardEffect(node)
        case "ExplainStmt": return explainEffect(node)
        case "PrepareStmt": return prepareEffect(node)
        case "ExecuteStmt", "DeallocateStmt": return .preparedStatements
        // What a cursor shows is as old as its opening, however late it is read.
        case "DeclareCursorStmt":
            return SessionEffect.writes.union(tree.child(of: node, "query").map { innerEffect($0) } ?? .opaque)
        case "CreateStmt": return creation(tree.child(of: node, "relation"))
        case "CreateTableAsStmt": return creationByQuery(node)
        case "ViewStmt": return creation(tree.child(of: node, "view"))
        case "CreateSeqStmt": return creation(tree.child(of: node, "sequence"))
        case "DoStmt", "CallStmt", "LoadStmt": return .opaque
        default: return Self.writing.contains(kind) || Self.isDefinition(kind) ? .writes : .opaque
        }
    }

    /// The effect of the statement in a wrapped node.
    private func innerEffect(_ wrapped: Int) -> SessionEffect {
        guard let inner = tree.children(of: wrapped).first else { return .opaque }
        switch tree.key(of: inner) {
        case "SelectStmt", "CreateTableAsStmt", "ExecuteStmt": return effect(of: inner)
        case let kind: return Self.writing.contains(kind) ? .writes : .opaque
        }
    }

    private func selectEffect(_ node: Int) -> SessionEffect {
        if let assignment = SettingReader(tree: tree, source: source).assignmentByCall(node) { return assignment }
        var effect = SessionEffect.readOnly
        // A locking clause reads the newest rows and writes into them; so does a data-modifying CTE.
        for index in node..<Int(tree.nodes[node].end) {
            if tree.isKey(of: index, "intoClause") {
                effect = effect.union(creation(tree.child(of: index, "rel")))
            } else if tree.isKey(of: index, "lockingClause") {
                effect = effect.union(.writes)
            } else if tree.isStatement(index), Self.writing.contains(tree.key(of: index)) {
                effect = effect.union(.writes)
            }
        }
        return effect
    }

    private func creation(_ relation: Int?) -> SessionEffect {
        guard let relation else { return .opaque }
        let isTemporary = tree.child(of: relation, "relpersistence").map { tree.isString($0, "t") } ?? false
        return isTemporary ? .temporaryObjects : .writes
    }

    /// CREATE TABLE … AS a query, or as what EXECUTE of a prepared statement shows.
    private func creationByQuery(_ node: Int) -> SessionEffect {
        let effect = creation(tree.child(of: node, "into").flatMap { tree.child(of: $0, "rel") })
        guard executes(node) else { return effect }
        // No kind of effect tells of a statement's name and of a temporary relation.
        return effect == .writes ? .preparedStatements : .opaque
    }

    /// Whether what a statement wraps is EXECUTE.
    private func executes(_ node: Int) -> Bool {
        guard let inner = tree.child(of: node, "query").flatMap({ tree.children(of: $0).first }) else { return false }
        return tree.isKey(of: inner, "ExecuteStmt") || tree.isKey(of: inner, "CreateTableAsStmt") && executes(inner)
    }

    private func transactionEffect(_ node: Int) -> SessionEffect {
        switch tree.child(of: node, "kind").flatMap({ tree.string($0) }) {
        case "TRANS_STMT_COMMIT_PREPARED", "TRANS_STMT_ROLLBACK_PREPARED": .writes
        case .some: .transactionControl
        case nil: .opaque
        }
    }

    private func discardEffect(_ node: Int) -> SessionEffect {
        switch tree.child(of: node, "target").flatMap({ tree.string($0) }) {
        case "DISCARD_ALL": .settings([.discardAll])
        case "DISCARD_PLANS", "DISCARD_SEQUENCES", "DISCARD_TEMP": .readOnly
        default: .opaque
        }
    }

    private func explainEffect(_ node: Int) -> SessionEffect {
        guard let inner = tree.child(of: node, "query") else { return .opaque }
        if explainRuns(node) { return innerEffect(inner) }
        return executes(node) ? .preparedStatements : .readOnly
    }

    private func explainRuns(_ node: Int) -> Bool {
        let options = tree.child(of: node, "options").map { tree.children(of: $0) } ?? []
        return options.contains { option in
            tree.children(of: option).first.flatMap { tree.child(of: $0, "defname") }
                .map { tree.isString($0, "analyze") } ?? false
        }
    }

    /// See `ParsedStatement.isRead`.
    func isRead(_ node: Int) -> Bool {
        switch tree.key(of: node) {
        case "SelectStmt": return selectEffect(node) == .readOnly
        case "ExplainStmt":
            guard !explainRuns(node), let inner = tree.child(of: node, "query").flatMap({ tree.children(of: $0).first })
            else { return false }
            return tree.isKey(of: inner, "SelectStmt") && selectEffect(inner) == .readOnly
        default: return false
        }
    }

    /// PREPARE itself does nothing, but what EXECUTE will do cannot be told from its name; so what is prepared counts.
    private func prepareEffect(_ node: Int) -> SessionEffect {
        let inner = tree.child(of: node, "query").map { innerEffect($0) } ?? .opaque
        return SessionEffect.preparedStatements.union(inner)
    }

    private static let writing: Set<String> = [
        "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CopyStmt", "TruncateStmt", "LockStmt", "NotifyStmt",
        "FetchStmt", "VacuumStmt", "ClusterStmt", "ReindexStmt", "CheckPointStmt", "RefreshMatViewStmt",
        "ConstraintsSetStmt", "CommentStmt", "SecLabelStmt", "IndexStmt", "RuleStmt", "RenameStmt", "GrantStmt",
        "GrantRoleStmt", "DefineStmt", "CompositeTypeStmt", "ReassignOwnedStmt", "ImportForeignSchemaStmt",
        "ReplicaIdentityStmt",
    ]

    /// CREATE, ALTER and DROP of whatever else.
    private static func isDefinition(_ kind: String) -> Bool {
        kind.hasPrefix("Create") || kind.hasPrefix("Alter") || kind.hasPrefix("Drop")
    }
}
