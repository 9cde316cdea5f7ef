import WaldenCore
import WaldenDependency

/// Finds the entries that a row change may affect, at a cost that does not grow with the entries that it cannot.
///
/// Each alternative of a predicate is filed under the values its equality columns must have, or within that under an
/// interval; what neither can express is checked on the candidates (`Filing`). Alternatives filed over the same columns
/// form a group (`IndexGroup`); a change looks into each group of its relation once per row image. An alternative
/// without equality or range lands in its group's only bucket and is checked for every change: the sound fallback.
///
/// When a result shows the keys of the rows that it was made of (`ResultKeyPlan`), a row that leaves is found by its key
/// instead: the predicate is filed for new rows only, and the result's keys, one by one, for old rows. A change of a
/// row whose old values were not sent then concerns the results that hold its key, not all that might have held it.
///
/// Everything lives in arenas under 32-bit numbers: a point query costs one posting and one bucket.
struct PredicateIndex: Sendable {
    var relations: [RelationIndex] = []
    var numbers: [RelationID: Int32] = [:]
    var groups = SlotArena<IndexGroup>()
    var postings = SlotArena<Posting>()
    var intervals = IntervalForest()
    var residuals = SlotArena<Residual>()
    private var groupNumbers: [IndexGroup.Key: Int32] = [:]

    /// What an entry occupies: its first posting (negative when it depends on nothing) and about how many bytes.
    struct Receipt {
        var first: Int32 = -1
        var bytes = 0
    }

    /// - Parameter keys: Of the rows in the result; nil when they are not known, as while its query runs.
    mutating func insert(_ entry: Int32, _ dependencies: Dependencies, keys: FiledKeys? = nil) -> Receipt {
        var receipt = Receipt()
        for table in dependencies.tables {
            var budget = Filing.maxKeys
            let relation = number(of: table.relation)
            let key = keys?.key(of: table)
            let before = receipt.first
            for alternative in table.predicate.alternatives {
                guard let filing = Filing(alternative, budget: budget) else { continue }
                budget -= min(budget, filing.combinations)
                file(filing, relation, table.columns, key == nil ? .both : .new, entry, &receipt)
            }
            if let key { file(key, relation, table.columns, entry, &receipt) }
            // No row of it matters, but its definition does.
            if receipt.first == before { file(.byRelationAlone, relation, [], .both, entry, &receipt) }
        }
        return receipt
    }

    /// Takes out the postings that begin with `first`.
    mutating func remove(_ first: Int32) {
        var current = first
        while current >= 0 {
            let posting = postings[current]
            unlink(current, posting)
            if posting.residual >= 0 { releaseResidual(posting.residual) }
            postings.remove(current, leaving: Posting())
            current = posting.sibling
        }
    }

    private mutating func number(of relation: RelationID) -> Int32 {
        if let number = numbers[relation] { return number }
        let number = Int32(relations.count)
        relations.append(RelationIndex())
        numbers[relation] = number
        return number
    }

    private mutating func group(_ key: IndexGroup.Key) -> Int32 {
        if let number = groupNumbers[key] { return number }
        let number = groups.insert(IndexGroup(key: key))
        groupNumbers[key] = number
        relations[Int(key.relation)].groups.append(number)
        return number
    }

    /// Files one alternative once per combination of its equality values.
    private mutating func file(
        _ filing: Filing, _ relation: Int32, _ columns: Set<String>?, _ images: IndexGroup.Images, _ entry: Int32,
        _ receipt: inout Receipt
    ) {
        var numbered: [(column: Int, keys: [Filing.Key])] = []
        for equality in filing.equalities {
            numbered.append((relations[Int(relation)].number(of: equality.column), equality.keys))
        }
        numbered.sort { $0.column < $1.column }
        let range = filing.range.map { relations[Int(relation)].number(of: $0.column) } ?? -1
        let group = group(
            IndexGroup.Key(
                relation: relation, columns: columns, equality: numbered.map(\.column), range: range, images: images))
        let residual = insertResidual(filing.residual, relation, postings: filing.combinations)
        var hashes = [UInt64](repeating: 0, count: numbered.count)
        for combination in 0..<filing.combinations {
            var rest = combination
            for (offset, equality) in numbered.enumerated() {
                hashes[offset] = equality.keys[rest % equality.keys.count].hash
                rest /= equality.keys.count
            }
            var posting = Posting(entry: entry, group: group, sibling: receipt.first, residual: residual)
            posting.bucket = groups[group].bucket(of: hashes)
            receipt.first = link(posting, filing.range)
            receipt.bytes += filing.range == nil ? 80 : 160
        }
        receipt.bytes += filing.residual.count * 160
    }

    /// Files the keys of a result's rows, for old rows to be found under.
    private mutating func file(
        _ key: FiledKeys.Key, _ relation: Int32, _ columns: Set<String>?, _ entry: Int32, _ receipt: inout Receipt
    ) {
        if key.hashes.isEmpty { return }
        var numbered: [(column: Int, part: Int)] = []
        for (part, column) in key.columns.enumerated() {
            numbered.append((relations[Int(relation)].number(of: column), part))
        }
        numbered.sort { $0.column < $1.column }
        let group = group(
            IndexGroup.Key(
                relation: relation, columns: columns, equality: numbered.map(\.column), range: -1, images: .old))
        var hashes = [UInt64](repeating: 0, count: numbered.count)
        for start in stride(from: 0, to: key.hashes.count, by: numbered.count) {
            for (offset, column) in numbered.enumerated() { hashes[offset] = key.hashes[start + column.part] }
            var posting = Posting(entry: entry, group: group, sibling: receipt.first)
            posting.bucket = groups[group].bucket(of: hashes)
            receipt.first = link(posting, nil)
            receipt.bytes += 80
        }
    }

    /// Puts a posting into its bucket.
    private mutating func link(_ posting: Posting, _ range: Filing.Range?) -> Int32 {
        let number = postings.insert(posting)
        groups[posting.group].postings += 1
        let head = groups[posting.group][posting.bucket].head
        if let range {
            var root = head
            postings[number].next = intervals.insert(lower: range.lower, upper: range.upper, item: number, root: &root)
            groups[posting.group][posting.bucket].head = root
        } else {
            postings[number].next = head
            if head >= 0 { postings[head].previous = number }
            groups[posting.group][posting.bucket].head = number
        }
        return number
    }

    private mutating func unlink(_ number: Int32, _ posting: Posting) {
        let group = posting.group
        var head = groups[group][posting.bucket].head
        if groups[group].key.range >= 0 {
            intervals.remove(posting.next, root: &head)
        } else {
            if posting.next >= 0 { postings[posting.next].previous = posting.previous }
            if posting.previous >= 0 { postings[posting.previous].next = posting.next } else { head = posting.next }
        }
        groups[group][posting.bucket].head = head
        if head < 0 { groups[group].removeBucket(posting.bucket) }
        groups[group].postings -= 1
        if groups[group].postings == 0 { removeGroup(group) }
    }

    /// Without entries a group would only cost each change a look.
    private mutating func removeGroup(_ number: Int32) {
        let key = groups[number].key
        groupNumbers[key] = nil
        relations[Int(key.relation)].groups.removeAll { $0 == number }
        groups.remove(number, leaving: IndexGroup(key: key))
    }

    private mutating func insertResidual(_ terms: [Term], _ relation: Int32, postings: Int) -> Int32 {
        if terms.isEmpty { return -1 }
        var checks: [Residual.Check] = []
        for term in terms {
            checks.append(
                Residual.Check(column: relations[Int(relation)].number(of: term.column), test: term.test))
        }
        return residuals.insert(Residual(checks: checks, postings: postings))
    }

    private mutating func releaseResidual(_ number: Int32) {
        residuals[number].postings -= 1
        if residuals[number].postings == 0 { residuals.remove(number, leaving: Residual()) }
    }
}
