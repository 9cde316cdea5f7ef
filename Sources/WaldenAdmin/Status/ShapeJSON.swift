extension ShapeReport {
    var json: JSON {
        [
            "id": .string(id),
            "text": .string(text),
            "standing": .string(standing),
            "hits": .whole(hits),
            "misses": .whole(misses),
            "saved_seconds": .number(savedSeconds),
            "execution_seconds": .number(executionSeconds),
            "result_bytes": .number(resultBytes),
            "benefit": .number(benefit),
            "fills_begun": .whole(fillsBegun),
            "fills_kept": .whole(fillsKept),
            "fills_tainted": .whole(fillsTainted),
            "fills_declined": .whole(fillsDeclined),
            "invalidations": .counts(invalidations),
        ]
    }

    /// For the status: `/shapes` has the rest.
    var summary: JSON {
        [
            "id": .string(id),
            "text": .string(text),
            "standing": .string(standing),
            "hits": .whole(hits),
            "misses": .whole(misses),
            "saved_seconds": .number(savedSeconds),
        ]
    }

    /// The document of `/shapes`.
    static func document(_ shapes: [ShapeReport]) -> String {
        let document: JSON = ["shapes": .array(shapes.map(\.json))]
        return document.text + "\n"
    }
}

extension ExplainReport {
    /// The document of `/explain`.
    var json: String {
        let document: JSON = [
            "cacheable": .bool(cacheable),
            "refusal": .string(orNull: refusal),
            "explanation": .string(orNull: explanation),
            "not_kept_because": .array(notKeptBecause.map(JSON.string)),
            "configuration_rule": .string(orNull: configurationRule),
            "tables": .array(tables.map(\.json)),
            "session": .array(effects.map(JSON.string)),
            "route": .string(route),
            "shape_id": .string(orNull: shapeID),
            "shape": shape?.json ?? .null,
            "last_invalidations": .array(invalidations.map(\.json)),
        ]
        return document.text + "\n"
    }
}

extension ExplainReport.Table {
    fileprivate var json: JSON {
        [
            "name": .string(name),
            "columns": columns.map { .array($0.map(JSON.string)) } ?? .string("any"),
            "rows": .string(rows),
            "matching": .string(matching),
        ]
    }
}

extension InvalidationReport {
    fileprivate var json: JSON {
        [
            "lsn": .string(lsn),
            "transaction": .whole(transaction),
            "table": .string(table),
            "change": .string(change),
            "cause": .string(cause),
            "matched": .string(matched),
            "key": .array(key.map(JSON.string)),
        ]
    }
}
