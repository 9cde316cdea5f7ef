public import WaldenCore

/// By what a change may alter a result.
public enum ChangeEffect: Hashable, Sendable {
    case none
    /// The new row may satisfy the predicate.
    case newRow
    /// Only the old one may: whether it contributed, its key tells when the result shows keys.
    case oldRow
}

/// A table dependency with its columns found in one shape of a relation.
///
/// Made once per dependency and `RelationDescription` object, then asked for each change of that relation.
public struct TableMatcher: Sendable {
    private struct ResolvedTerm: Sendable {
        /// Nil: the images do not carry the column, or as another type.
        let position: Int?
        let column: ColumnReference
        let test: Test
    }

    private let alternatives: [[ResolvedTerm]]
    /// Positions that must all be equal for an update to leave the result as it is; nil: no update is known to.
    private let referenced: [Int]?
    private let isKey: [Bool]

    public init(_ dependency: TableDependency, in relation: RelationDescription) {
        let columns = relation.columns
        alternatives = dependency.predicate.alternatives.map { alternative in
            alternative.terms.map { term in
                let position = columns.firstIndex { $0.name == term.column.name && $0.type == term.column.type }
                return ResolvedTerm(position: position, column: term.column, test: term.test)
            }
        }
        isKey = columns.map(\.isKey)
        guard let names = dependency.columns else {
            referenced = Array(columns.indices)
            return
        }
        let positions = names.compactMap { name in columns.firstIndex { $0.name == name } }
        referenced = positions.count == names.count ? positions : nil
    }

    /// Whether the change may alter a result with this dependency: its old or its new row may satisfy the predicate,
    /// and it is not an update that certainly left every referenced column as it was.
    public func affects(_ change: RowChange) -> Bool { effect(of: change) != .none }

    public func effect(of change: RowChange) -> ChangeEffect {
        switch change.kind {
        case .insert: return mayMatch(change.new, change.bytes) ? .newRow : .none
        case .delete: return mayMatch(change.old, change.bytes) ? .oldRow : .none
        case .update:
            if isUnchanged(change) { return .none }
            if mayMatch(change.new, change.bytes) { return .newRow }
            return mayMatch(change.old ?? keyOfUnmoved(change.new), change.bytes) ? .oldRow : .none
        }
    }

    private func mayMatch(_ image: [Field]?, _ bytes: [UInt8]) -> Bool {
        guard let image else { return true }
        return alternatives.contains { terms in
            terms.allSatisfy { term in
                guard let position = term.position, position < image.count else { return term.test != .never }
                let value = FieldDecoding.value(
                    of: image[position], bytes: bytes, type: term.column.type, family: term.column.family)
                return term.test.evaluate(value).mayHold
            }
        }
    }

    /// The old row of an update that sent none: its key columns are those of the new row, nothing is known of others.
    private func keyOfUnmoved(_ image: [Field]?) -> [Field]? {
        guard let image, image.count == isKey.count else { return nil }
        return image.indices.map { isKey[$0] ? image[$0] : Field(kind: .notSent) }
    }

    /// Whether the update left every referenced column as it was. When it sent no old row, the key is unchanged.
    private func isUnchanged(_ change: RowChange) -> Bool {
        guard let referenced, let new = change.new else { return false }
        return referenced.allSatisfy { position in
            guard let old = change.old else { return isKey[position] }
            guard position < old.count, position < new.count else { return false }
            return old[position].isCertainlyEqual(to: new[position], in: change.bytes)
        }
    }
}

extension Field {
    /// Equal bytes in the same form; equal values in other forms, or unchanged TOAST, are not certain.
    fileprivate func isCertainlyEqual(to other: Field, in bytes: [UInt8]) -> Bool {
        guard kind == other.kind, length == other.length else { return false }
        switch kind {
        case .null: return true
        case .unchangedToast, .notSent: return false
        case .text, .binary:
            guard range.upperBound <= bytes.count, other.range.upperBound <= bytes.count else { return false }
            return bytes[range] == bytes[other.range]
        }
    }
}

extension TableDependency {
    /// Whether `change`, which must be of this dependency's relation, may alter the result. For single questions; a
    /// `TableMatcher` is faster for many.
    public func affects(_ change: RowChange) -> Bool {
        TableMatcher(self, in: change.relation).affects(change)
    }
}
