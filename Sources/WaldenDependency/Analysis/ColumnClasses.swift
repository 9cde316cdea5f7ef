/// Classes of columns that have one value wherever a demand is met.
struct ColumnClasses {
    private var classes: [[ColumnSource]] = []

    mutating func unite(_ left: ColumnSource, _ right: ColumnSource) {
        let first = classes.firstIndex { $0.contains(left) }
        let second = classes.firstIndex { $0.contains(right) }
        switch (first, second) {
        case (nil, nil): classes.append(left == right ? [left] : [left, right])
        case (let index?, nil): classes[index].append(right)
        case (nil, let index?): classes[index].append(left)
        case (let index?, let other?):
            if index == other { return }
            classes[index] += classes[other]
            classes.remove(at: other)
        }
    }

    /// The column of `table` that has the value of `column`: itself, or the first of its class.
    func member(of column: ColumnSource, in table: Int) -> String? {
        if column.table == table { return column.column }
        return classes.first { $0.contains(column) }?.first { $0.table == table }?.column
    }
}

extension [Scope] {
    /// The one column that a name certainly means, of scopes in sight, the innermost last.
    func source(of parts: [String]) -> ColumnSource? {
        guard let name = parts.last else { return nil }
        for scope in reversed() {
            let items = scope.items.filter { $0.answers(to: parts.dropLast()) }
            // It may have the column, or may not.
            if items.contains(where: \.isOpen) { return nil }
            let holders = items.filter { $0.column(named: name) != nil }
            if holders.count == 1 { return holders[0].source(of: name) }
            if holders.count > 1 { return parts.count == 1 ? scope.merged[name] : nil }
            if parts.count == 1, scope.items.contains(where: { $0.name == name }) { return nil }
        }
        return nil
    }
}
