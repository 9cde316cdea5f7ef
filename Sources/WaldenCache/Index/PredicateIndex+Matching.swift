import WaldenCore
import WaldenDependency

/// An entry that a change may affect.
struct Match: Hashable, Sendable {
    let entry: Int32
    /// False when only a value that the stream did not tell speaks for it.
    let isCertain: Bool
    /// It is the old row that speaks for it.
    var isOld = false
}

extension PredicateIndex {
    /// Adds the entries that the change may affect; one may be named several times.
    mutating func match(_ change: RowChange, images: inout ImagePair, into matches: inout [Match]) {
        guard let number = numbers[change.relation.id] else { return }
        let relation = Int(number)
        if relations[relation].groups.isEmpty { return }
        relations[relation].use(change.relation)
        let columnCount = relations[relation].columnCount
        let new = change.newImage
        let old = change.oldImage
        if let new { images.new.begin(new, columnCount: columnCount) }
        if let old { images.old.begin(old, isOld: true, columnCount: columnCount) }
        for group in relations[relation].groups {
            if change.kind == .update, groups[group].isUntouched(by: change, in: relations[relation]) { continue }
            let wanted = groups[group].key.images
            if new != nil, wanted != .old { match(group, relation, &images.new, into: &matches) }
            if old != nil, wanted != .new { match(group, relation, &images.old, into: &matches) }
        }
    }

    /// Adds every entry that depends on the relation.
    func matchAll(of relation: RelationID, into matches: inout [Match]) {
        guard let number = numbers[relation] else { return }
        for group in relations[Int(number)].groups {
            groups[group].forEachBucket(in: .all) { bucket in
                let head = groups[group][bucket].head
                forEachPosting(head, isTree: groups[group].key.range >= 0) {
                    matches.append(Match(entry: postings[$0].entry, isCertain: true))
                }
            }
        }
    }

    private mutating func match(
        _ group: Int32, _ relation: Int, _ values: inout ImageValues, into matches: inout [Match]
    ) {
        let selection = groups[group].select(&values, in: relations[relation])
        if selection == .none { return }
        var isCertain = true
        if case .one = selection {} else { isCertain = false }
        let range = groups[group].key.range
        if range < 0 {
            groups[group].forEachBucket(in: selection) { bucket in
                forEachPosting(groups[group][bucket].head, isTree: false) {
                    check($0, isCertain, relation, &values, into: &matches)
                }
            }
            return
        }
        values.load(range, in: relations[relation])
        let value = values[range].value
        if value == .null { return }
        groups[group].forEachBucket(in: selection) { bucket in
            let root = groups[group][bucket].head
            if case .known(let known) = value {
                intervals.forEach(containing: known, root: root) {
                    check($0, isCertain, relation, &values, into: &matches)
                }
            } else {
                intervals.forEach(root: root) { check($0, false, relation, &values, into: &matches) }
            }
        }
    }

    /// Adds a candidate unless the terms that its filing leaves open exclude it.
    private func check(
        _ posting: Int32, _ isCertain: Bool, _ relation: Int, _ values: inout ImageValues,
        into matches: inout [Match]
    ) {
        var truth: Truth = isCertain ? .yes : .unknown
        let residual = postings[posting].residual
        if residual >= 0 {
            for check in residuals[residual].checks {
                values.load(check.column, in: relations[relation])
                switch check.test.evaluate(values[check.column].value) {
                case .no: return
                case .unknown: truth = .unknown
                case .yes: break
                }
            }
        }
        matches.append(Match(entry: postings[posting].entry, isCertain: truth == .yes, isOld: values.isOld))
    }

    private func forEachPosting(_ head: Int32, isTree: Bool, _ body: (Int32) -> Void) {
        if isTree { return intervals.forEach(root: head, body) }
        var current = head
        while current >= 0 {
            body(current)
            current = postings[current].next
        }
    }
}
