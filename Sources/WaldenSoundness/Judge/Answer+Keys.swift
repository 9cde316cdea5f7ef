import WaldenDependency

extension Answer {
    /// The keys of the rows that the result was made of, as the proxy reads them out of a reply; nil when the answer
    /// does not look as the plan says.
    func keys(by plan: ResultKeyPlan, isBinary: Bool) -> ResultKeys? {
        var values = [[FieldValue]](repeating: [], count: plan.keys.count)
        for row in rows {
            let fields = Self.fields(of: row)
            guard fields.count == plan.width else { return nil }
            for (number, key) in plan.keys.enumerated() {
                for column in key {
                    guard let field = fields[column.position] else {
                        values[number].append(.null)
                        continue
                    }
                    let bytes = Array(row[field])
                    guard let value = column.value(in: bytes.span.bytes, isBinary: isBinary) else { return nil }
                    values[number].append(.known(value))
                }
            }
        }
        return ResultKeys(values: values)
    }
}
