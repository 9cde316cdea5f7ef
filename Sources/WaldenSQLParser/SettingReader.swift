import WaldenDependency

/// Reads SET and RESET in all their spellings as assignments (PostgreSQL `utils/misc/guc.c`, `ExecSetVariableStmt`).
struct SettingReader {
    let tree: ParseTree
    let source: [UInt8]

    func effect(of node: Int) -> SessionEffect {
        guard let kind = tree.child(of: node, "kind").flatMap({ tree.string($0) }) else { return .opaque }
        let name = tree.child(of: node, "name").flatMap { tree.string($0) }?.lowercased() ?? ""
        let isLocal = tree.child(of: node, "is_local").map { tree.nodes[$0].kind == .yes } ?? false
        if kind == "VAR_RESET_ALL" { return .settings([.resetAll]) }
        guard !name.isEmpty else { return .opaque }
        switch kind {
        case "VAR_SET_VALUE":
            if Self.ofTransaction.contains(name) { return .transactionControl }
            guard let value = value(of: node, name: name) else { return .opaque }
            return assignment(name, value, isLocal)
        case "VAR_SET_DEFAULT", "VAR_RESET":
            if Self.ofTransaction.contains(name) { return .transactionControl }
            // Until the transaction ends the setting has a value that no text names.
            if isLocal { return assignment(name, "DEFAULT", true) }
            return .settings(
                name == "session_authorization" ? [.reset(name: name), .reset(name: "role")] : [.reset(name: name)])
        case "VAR_SET_MULTI": return several(node, name)
        default: return .opaque
        }
    }

    private func assignment(_ name: String, _ value: String, _ isLocal: Bool) -> SessionEffect {
        let change = SettingChange.set(name: name, value: value, local: isLocal)
        // SET SESSION AUTHORIZATION ends a SET ROLE.
        return .settings(name == "session_authorization" && !isLocal ? [change, .reset(name: "role")] : [change])
    }

    private static let ofTransaction: Set<String> = [
        "transaction_isolation", "transaction_read_only", "transaction_deferrable",
    ]

    /// SET TRANSACTION …, and SET SESSION CHARACTERISTICS AS TRANSACTION …, which sets defaults.
    private func several(_ node: Int, _ name: String) -> SessionEffect {
        switch name {
        case "transaction", "transaction snapshot": return .transactionControl
        case "session characteristics": break
        default: return .opaque
        }
        var changes: [SettingChange] = []
        for item in tree.child(of: node, "args").map({ tree.children(of: $0) }) ?? [] {
            guard let element = tree.children(of: item).first,
                let option = tree.child(of: element, "defname").flatMap({ tree.string($0) }),
                let argument = tree.child(of: element, "arg"), let value = constant(argument)
            else { return .opaque }
            changes.append(.set(name: "default_\(option)", value: value, local: false))
        }
        return .settings(changes)
    }

    /// What `SELECT set_config('name', 'value', is_local)` does, when the query is that call and no more, of constants.
    func assignmentByCall(_ select: Int) -> SessionEffect? {
        let clauses = tree.children(of: select).map { tree.key(of: $0) }
        guard Set(clauses).isSubset(of: ["targetList", "limitOption", "op", "groupDistinct", "all"]),
            let targets = tree.child(of: select, "targetList"), let target = onlyChild(targets),
            let column = onlyChild(target), let value = tree.child(of: column, "val"), let call = onlyChild(value),
            tree.isKey(of: call, "FuncCall"), isSetConfig(call)
        else { return nil }
        let parts = tree.children(of: call).map { tree.key(of: $0) }
        guard Set(parts).isSubset(of: ["funcname", "args", "funcformat", "location"]),
            let list = tree.child(of: call, "args")
        else { return nil }
        let arguments = tree.children(of: list)
        guard arguments.count == 3, isStringConstant(arguments[0]), isStringConstant(arguments[1]),
            let name = constant(arguments[0])?.lowercased(), let text = constant(arguments[1]),
            let isLocal = constant(arguments[2]), isLocal == "true" || isLocal == "false"
        else { return nil }
        // What else these do, SET says; their values are not plain texts.
        guard !name.isEmpty, name != "role", name != "session_authorization", !Self.ofTransaction.contains(name) else {
            return nil
        }
        return .settings([.set(name: name, value: text, local: isLocal == "true")])
    }

    private func onlyChild(_ index: Int) -> Int? {
        let children = tree.children(of: index)
        return children.count == 1 ? children[0] : nil
    }

    private func isSetConfig(_ call: Int) -> Bool {
        guard let name = tree.child(of: call, "funcname") else { return false }
        let parts = tree.children(of: name).map { part in
            onlyChild(part).flatMap { tree.child(of: $0, "sval") }.flatMap { tree.string($0) } ?? ""
        }
        return parts == ["set_config"] || parts == ["pg_catalog", "set_config"]
    }

    private func isStringConstant(_ wrapped: Int) -> Bool {
        guard let node = tree.children(of: wrapped).first, tree.isKey(of: node, "A_Const") else { return false }
        return tree.child(of: node, "sval") != nil
    }

    /// The assigned value in the form in which `SHOW` prints it, or nearly so: lists joined, identifiers quoted.
    private func value(of node: Int, name: String) -> String? {
        guard let list = tree.child(of: node, "args") else { return nil }
        var parts: [String] = []
        for item in tree.children(of: list) {
            guard let part = constant(item) else { return nil }
            parts.append(Self.quotedLists.contains(name) ? Self.quoted(part) : part)
        }
        return parts.joined(separator: ", ")
    }

    private func constant(_ wrapped: Int) -> String? {
        guard let node = tree.children(of: wrapped).first, tree.isKey(of: node, "A_Const") else { return nil }
        var reader = SyntaxReader(tree: tree, source: source)
        guard case .literal(let literal)? = try? reader.expression(wrapped) else { return nil }
        switch literal {
        case .string(let text): return text
        case .decimal(let digits): return digits
        case .integer(let number): return String(number)
        case .boolean(let value): return value ? "true" : "false"
        case .null, .bits: return nil
        }
    }

    /// Settings whose value is a list of identifiers (`GUC_LIST_QUOTE`).
    private static let quotedLists: Set<String> = [
        "search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries",
    ]

    private static func quoted(_ name: String) -> String {
        var result = "\""
        for character in name {
            if character == "\"" { result.append("\"") }
            result.append(character)
        }
        return result + "\""
    }
}
