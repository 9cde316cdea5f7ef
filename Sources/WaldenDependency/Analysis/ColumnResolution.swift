import WaldenCore

/// What column names mean, and what referring to them reads.
extension QueryChecker {
    private static let systemColumns: Set<String> = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "oid"]

    /// Resolves a column reference, notes what it reads, and gives its type, nil when that cannot be told.
    mutating func column(_ parts: [String]) throws(Refusal) -> TypeID? {
        guard let name = parts.last else { throw Refusal(.unsupportedSyntax, "an empty name") }
        if parts.count == 1, name == "system_user" {
            throw Refusal(.currentValue, "SYSTEM_USER is a keyword of newer servers")
        }
        for depth in scopes.indices.reversed() {
            let items = scopes[depth].items.filter { $0.answers(to: parts.dropLast()) }
            let holders = items.filter { $0.column(named: name) != nil }
            for holder in holders { try read(holder, name) }
            if !holders.isEmpty, !items.contains(where: \.isOpen) {
                let types = Set(holders.map { $0.column(named: name)?.type })
                return types.count == 1 ? types.first ?? nil : nil
            }
            if !holders.isEmpty || items.contains(where: \.isOpen) {
                // One that is not followed may have it, or an outer query's may be meant: both count.
                try noteOuter(parts, below: depth)
                for item in items where item.isOpen { try readWhole(item) }
                return nil
            }
            if parts.count == 1, let row = scopes[depth].items.first(where: { $0.name == name }) {
                try readWhole(row)
                return nil
            }
        }
        if Self.systemColumns.contains(name) {
            throw Refusal(.systemColumn, "\(name) is a system column")
        }
        throw Refusal(.unknownColumn, "column \(parts.joined(separator: ".")) was not found")
    }

    private mutating func noteOuter(_ parts: [String], below depth: Int) throws(Refusal) {
        guard let name = parts.last else { return }
        for outer in 0..<depth {
            if parts.count == 1 {
                for item in scopes[outer].items where item.name == name { try readWhole(item) }
            }
            for item in scopes[outer].items where item.answers(to: parts.dropLast()) {
                for source in item.sources[name] ?? [] { tables[source.table].columns.insert(source.column) }
            }
        }
    }

    private mutating func read(_ item: ScopeItem, _ name: String) throws(Refusal) {
        try read(item.sources[name] ?? [])
    }

    mutating func read(_ sources: [ColumnSource]) throws(Refusal) {
        for source in sources {
            tables[source.table].columns.insert(source.column)
            guard let column = tables[source.table].relation.column(named: source.column) else { continue }
            try resolver.check(columnType: column.type)
        }
    }

    /// Notes what is left to be read of an output column.
    mutating func read(_ column: OutputColumn) throws(Refusal) -> OutputColumn {
        try read(column.pending)
        return OutputColumn(name: column.name, type: column.type, origin: column.origin)
    }

    mutating func readWhole(_ item: ScopeItem) throws(Refusal) {
        for table in item.tables {
            tables[table].isWhole = true
            for column in tables[table].relation.columns { try resolver.check(columnType: column.type) }
        }
        if item.tables.isEmpty {
            for sources in item.sources.values { try read(sources) }
        }
    }

    /// A select list's reference to one column of this query's own FROM, as an output column that is yet to be read;
    /// nil when it may be anything else.
    func passingColumn(_ parts: [String]) -> OutputColumn? {
        // SYSTEM_USER is a keyword of newer servers.
        guard let scope = scopes.last, let name = parts.last, parts != ["system_user"] else { return nil }
        let items = scope.items.filter { $0.answers(to: parts.dropLast()) }
        let holders = items.filter { $0.column(named: name) != nil }
        guard holders.count == 1, !items.contains(where: \.isOpen), let column = holders[0].column(named: name) else {
            return nil
        }
        return OutputColumn(
            name: name, type: column.type, pending: holders[0].sources[name] ?? [], origin: holders[0].source(of: name))
    }

    /// The columns that `*` or `qualifier.*` stands for.
    mutating func expand(_ qualifier: [String]) throws(Refusal) -> OutputColumns {
        for depth in scopes.indices.reversed() {
            let items = scopes[depth].items.filter { $0.answers(to: qualifier[...]) }
            if items.isEmpty, !qualifier.isEmpty { continue }
            let isLazy = depth == scopes.count - 1 && scopes[depth].isLazy
            let isMerged = scopes[depth].hasMergedColumns && qualifier.isEmpty
            var output: OutputColumns = []
            for item in items {
                let columns = item.outputColumns
                if !isLazy || isMerged || columns == nil { try readAll(item) }
                let read =
                    isLazy ? columns : columns?.map { OutputColumn(name: $0.name, type: $0.type, origin: $0.origin) }
                output = if let read, let sofar = output { sofar + read } else { nil }
            }
            if output == nil {
                // What was left for later has no name by which it could be asked for.
                for item in items { try readAll(item) }
            }
            // In which order merged columns come is not followed.
            return isMerged ? nil : output
        }
        throw Refusal(.unknownColumn, "\(qualifier.joined(separator: ".")).* was not found")
    }

    private mutating func readAll(_ item: ScopeItem) throws(Refusal) {
        for name in (item.columns ?? []).compactMap(\.name) { try read(item.sources[name] ?? []) }
        if item.sources.isEmpty { try readWhole(item) }
    }
}

extension ScopeItem {
    /// What `*` gives of it, yet to be read; nil when that is not known.
    fileprivate var outputColumns: OutputColumns {
        guard !isOpen else { return nil }
        return columns?.map { column in
            OutputColumn(
                name: column.name, type: column.type, pending: column.name.flatMap { sources[$0] } ?? [],
                origin: column.name.flatMap { source(of: $0) })
        }
    }
}

extension [ScopeItem] {
    /// Nil when there may be more.
    var columnNames: Set<String>? {
        contains(where: \.isOpen) ? nil : Set(flatMap { ($0.columns ?? []).compactMap(\.name) })
    }
}
