import WaldenCore
import WaldenDependency
import WaldenWire

/// Reads the keys of a captured result's rows, once, when the capture is complete.
///
/// Nothing is trusted: a result that does not look as the plan expects has no keys, and is then dropped by the
/// predicates alone.
struct ResultKeyReader {
    /// Larger results have no keys: the index would outgrow them.
    static let maxRows = 1_000

    let plan: ResultKeyPlan
    /// As Bind asked for: none, one for all, or one for each column. Where the result is described, that counts.
    let formats: [FormatCode]

    /// - Parameter result: RowDescription, if the result was described, DataRows and CommandComplete.
    func keys(in result: borrowing RawSpan) -> ResultKeys? {
        try? read(result)
    }

    private func read(_ result: borrowing RawSpan) throws(WireError) -> ResultKeys? {
        guard var isBinary = expand(formats) else { return nil }
        var values = [[FieldValue]](repeating: [], count: plan.keys.count)
        var fields: [Range<Int>?] = []
        var position = 0
        var rows = 0
        while let header = try MessageHeader.parse(result, at: position, limit: result.byteCount) {
            let body = header.body(at: position)
            guard body.upperBound <= result.byteCount else { return nil }
            switch BackendTag(rawValue: header.tag) {
            case .rowDescription:
                guard rows == 0, let told = described(by: try RowDescription(in: result, body: body)) else {
                    return nil
                }
                isBinary = told
            case .dataRow:
                rows += 1
                guard rows <= Self.maxRows, split(result, body, into: &fields),
                    append(result, fields, isBinary, &values)
                else { return nil }
            case .commandComplete: return body.upperBound == result.byteCount ? ResultKeys(values: values) : nil
            default: return nil
            }
            position = body.upperBound
        }
        return nil
    }

    private func expand(_ formats: [FormatCode]) -> [Bool]? {
        if formats.count <= 1 { return [Bool](repeating: formats.first == .binary, count: plan.width) }
        return formats.count == plan.width ? formats.map { $0 == .binary } : nil
    }

    /// Which columns are binary; nil when the columns are not those that the plan was made for.
    private func described(by description: RowDescription) -> [Bool]? {
        guard description.columns.count == plan.width else { return nil }
        for column in plan.keys.joined() where description.columns[column.position].type != column.reference.type {
            return nil
        }
        return description.columns.map { $0.format == .binary }
    }

    /// Finds the fields of a row; nil is null.
    private func split(_ result: borrowing RawSpan, _ body: Range<Int>, into fields: inout [Range<Int>?]) -> Bool {
        fields.removeAll(keepingCapacity: true)
        var cursor = ByteCursor(at: body.lowerBound)
        do throws(ByteError) {
            guard try cursor.read(Int16.self, in: result) == Int16(exactly: plan.width) else { return false }
            for _ in 0..<plan.width {
                let length = try cursor.read(Int32.self, in: result)
                fields.append(length == -1 ? nil : try cursor.take(Int(length), in: result))
            }
        } catch {
            return false
        }
        return cursor.offset == body.upperBound
    }

    private func append(
        _ result: borrowing RawSpan, _ fields: [Range<Int>?], _ isBinary: [Bool], _ values: inout [[FieldValue]]
    ) -> Bool {
        for (number, key) in plan.keys.enumerated() {
            for column in key {
                guard let field = fields[column.position] else {
                    values[number].append(.null)
                    continue
                }
                guard let value = column.value(in: result.extracting(field), isBinary: isBinary[column.position])
                else { return false }
                values[number].append(.known(value))
            }
        }
        return true
    }
}
