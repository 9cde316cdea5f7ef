import WaldenCore

extension Report {
    /// All that is needed to see what went wrong, and to do it again.
    static func show(_ failure: World.Failure, seed: UInt64) {
        line()
        line("=== \(failure.title)")
        line("=== again: make soundness SEED=\(seed) WORLD=\(failure.number)")
        for statement in failure.schema.statements { line("\(statement);") }
        for view in failure.schema.views { line("\(view.statement);") }
        line("--- query (\(failure.query.shape.rawValue))")
        line("\(failure.query.sql);")
        for (index, parameter) in failure.query.parameters.enumerated() {
            line("$\(index + 1) (type \(parameter.type)) = \(parameter.shown)")
        }
        line("--- dependencies")
        line(failure.explanation)
        line("--- transaction")
        line(failure.change.text)
        for change in failure.transaction.changes.prefix(20) {
            let images = "old \(image(change.old, change)) new \(image(change.new, change))"
            line("\(change.kind) \(change.relation.name): \(images)")
        }
        if !failure.transaction.wholeRelations.isEmpty { line("whole: \(failure.transaction.wholeRelations)") }
        line("--- only before")
        difference(failure.before, failure.after)
        line("--- only after")
        difference(failure.after, failure.before)
    }

    private static func difference(_ left: Answer, _ right: Answer) {
        var rest: [String: Int] = [:]
        for text in right.lines { rest[text, default: 0] += 1 }
        var shown = 0
        for text in left.lines {
            if let count = rest[text], count > 0 {
                rest[text] = count - 1
            } else if shown < 20 {
                shown += 1
                line(text)
            }
        }
        if shown == 0 { line("(nothing)") }
    }

    private static func image(_ fields: [Field]?, _ change: RowChange) -> String {
        guard let fields else { return "-" }
        let parts = zip(change.relation.columns, fields).map { column, field -> String in
            switch field.kind {
            case .null: return "\(column.name)=null"
            case .unchangedToast: return "\(column.name)=(unchanged)"
            case .notSent: return "\(column.name)=(not sent)"
            case .text: return "\(column.name)=" + String(decoding: change.bytes[field.range].prefix(20), as: UTF8.self)
            case .binary: return "\(column.name)=x" + change.bytes[field.range].prefix(12).map(hex).joined()
            }
        }
        return "(" + parts.joined(separator: " ") + ")"
    }

    private static func hex(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
