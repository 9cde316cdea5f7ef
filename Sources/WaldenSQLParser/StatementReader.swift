import WaldenDependency

/// Turns a parse tree into statements: each with its effect on the session and, when it is a query that analysis
/// understands, the query.
struct StatementReader {
    let tree: ParseTree
    let source: [UInt8]

    func read() -> ParsedText? {
        guard !tree.nodes.isEmpty, let list = tree.child(of: 0, "stmts") else { return nil }
        var statements: [ParsedStatement] = []
        for raw in tree.children(of: list) {
            guard let wrapped = tree.child(of: raw, "stmt"), let node = tree.children(of: wrapped).first else {
                return nil
            }
            statements.append(statement(node))
        }
        return ParsedText(statements: statements)
    }

    private func statement(_ node: Int) -> ParsedStatement {
        var mentions = Mentions()
        mentions.collect(below: node, in: tree)
        let reader = EffectReader(tree: tree, source: source)
        var effect = reader.effect(of: node)
        if mentions.temporarySchema, effect == .writes { effect = .temporaryObjects }
        // Its rules assign settings (PostgreSQL `catalog/system_views.sql`).
        if mentions.serverSettings, effect == .writes { effect = .opaque }
        return ParsedStatement(
            effect: effect, functions: mentions.functions, operators: mentions.operators,
            relations: mentions.relations, form: form(node), isRead: reader.isRead(node), types: mentions.types,
            commonTables: mentions.commonTables, readsServerSettings: mentions.readsServerSettings,
            binding: binding(of: node))
    }

    /// What kinds of statements leave something on the server by themselves, or take it back.
    private func binding(of node: Int) -> SessionBinding {
        switch tree.key(of: node) {
        case "ListenStmt": .mayBind
        case "DeclareCursorStmt": declaresWithHold(node) ? .mayBind : .none
        case "UnlistenStmt", "ClosePortalStmt", "DiscardStmt": .mayUnbind
        default: .none
        }
    }

    /// `CURSOR_OPT_HOLD` (PostgreSQL `nodes/parsenodes.h`); options that cannot be read count as it.
    private func declaresWithHold(_ node: Int) -> Bool {
        guard let options = tree.child(of: node, "options") else { return false }
        return tree.integer(options).map { $0 & 0x20 != 0 } ?? true
    }

    private func form(_ node: Int) -> ParsedStatement.Form {
        guard tree.isKey(of: node, "SelectStmt") else {
            return .refused(Refusal(.notASelect, "\(tree.key(of: node)) is not a query"))
        }
        var reader = SyntaxReader(tree: tree, source: source)
        do throws(Refusal) {
            return .query(try reader.query(node))
        } catch {
            return .refused(error)
        }
    }
}

/// The names that stand anywhere in a statement, whatever its kind. Not recursive.
struct Mentions {
    private(set) var functions: Set<QualifiedName> = []
    private(set) var operators: Set<QualifiedName> = []
    private(set) var relations: Set<QualifiedName> = []
    private(set) var types: Set<QualifiedName> = []
    private(set) var commonTables: Set<String> = []
    /// See `ParsedStatement`.
    private(set) var readsServerSettings = false
    /// Some relation is named `pg_settings`.
    private(set) var serverSettings = false
    /// Some name begins with `pg_temp`.
    private(set) var temporarySchema = false

    mutating func collect(below root: Int, in tree: ParseTree) {
        for index in root..<Int(tree.nodes[root].end) {
            if tree.nodes[index].kind == .string {
                guard let text = tree.string(index) else { continue }
                if text.hasPrefix("pg_temp") { temporarySchema = true }
                if text == "pg_settings", tree.isKey(of: index, "relname") { serverSettings = true }
                if tree.isKey(of: index, "ctename") { commonTables.insert(text) }
            } else if tree.isKey(of: index, "funcname") {
                functions.insert(name(index, tree))
            } else if tree.isKey(of: index, "operName") {
                operators.insert(name(index, tree))
            } else if tree.isKey(of: index, "FuncCall") {
                noteSetting(index, tree)
            } else if tree.isKey(of: index, "typeName") {
                if let names = tree.child(of: index, "names") { types.insert(name(names, tree)) }
            } else if tree.isKey(of: index, "A_Expr") {
                collectOperator(index, tree)
            } else if tree.isKey(of: index, "RangeVar") {
                let schema = tree.child(of: index, "schemaname").flatMap { tree.string($0) }
                let own = tree.child(of: index, "relname").flatMap { tree.string($0) } ?? ""
                relations.insert(QualifiedName(schema: schema, name: own))
            }
        }
    }

    private mutating func noteSetting(_ index: Int, _ tree: ParseTree) {
        guard let function = tree.child(of: index, "funcname"), name(function, tree).name == "current_setting" else {
            return
        }
        let argument = tree.child(of: index, "args").flatMap { tree.children(of: $0).first }
        let constant = argument.flatMap { tree.children(of: $0).first }.map { unwrappedCast($0, tree) }
        let text = constant.flatMap { tree.child(of: $0, "sval") }.flatMap { tree.child(of: $0, "sval") }
        if !(text.flatMap { tree.string($0) }?.contains(".") ?? false) { readsServerSettings = true }
    }

    /// Definitions are printed with the types of their literals: `'app.tenant'::text`.
    private func unwrappedCast(_ index: Int, _ tree: ParseTree) -> Int {
        guard tree.isKey(of: index, "TypeCast"), let argument = tree.child(of: index, "arg"),
            let inner = tree.children(of: argument).first
        else { return index }
        return inner
    }

    private mutating func collectOperator(_ index: Int, _ tree: ParseTree) {
        guard let list = tree.child(of: index, "name") else { return }
        let name = name(list, tree)
        if name.name.hasSuffix("BETWEEN") || name.name.hasSuffix("SYMMETRIC") {
            for implied in ["<", "<=", ">", ">="] { operators.insert(QualifiedName(schema: nil, name: implied)) }
        } else {
            operators.insert(name)
        }
    }

    private func name(_ index: Int, _ tree: ParseTree) -> QualifiedName {
        let parts = tree.children(of: index).map { wrapped in
            tree.children(of: wrapped).first.flatMap { tree.child(of: $0, "sval") }.flatMap { tree.string($0) } ?? ""
        }
        return QualifiedName(schema: parts.count > 1 ? parts[parts.count - 2] : nil, name: parts.last ?? "")
    }
}
