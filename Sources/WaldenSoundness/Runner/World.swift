import WaldenCore
import WaldenDependency
import WaldenSQLParser
import WaldenTestKit

/// One generated world on the server: its queries live in the cache while its transactions change the data.
final class World {
    private struct Place {
        let query: GeneratedQuery
        let name: String
        let dependencies: Dependencies
        var answer: Answer
    }

    private let number: Int
    private let seed: UInt64
    private let primary: Primary
    private var schema: Schema
    private let statements = StatementCatalog()
    private var catalog: CatalogSnapshot?
    private let judge: Judge
    private var places: [Place?]
    private let context = SessionContext(searchPath: "public", loginUser: "postgres", user: "postgres")
    private let report: (Failure) -> Void
    /// How many tables are left out of each query's dependencies.
    var forgotten = 0

    /// What a run stops for to say.
    struct Failure {
        let number: Int
        let title: String
        let schema: Schema
        let query: GeneratedQuery
        let explanation: String
        let change: Change
        let transaction: CommittedTransaction
        let before: Answer
        let after: Answer
    }

    init(number: Int, seed: UInt64, on primary: Primary, queries: Int, report: @escaping (Failure) -> Void) throws {
        self.number = number
        self.seed = seed
        self.primary = primary
        self.report = report
        judge = Judge(places: queries)
        places = Array(repeating: nil, count: queries)
        schema = SchemaGenerator.schema(seed: seed)
        try primary.build(schema)
        for statement in ChangeGenerator.data(schema, seed: seed) { _ = primary.attempt(statement) }
        for index in 0..<4 {
            let view = QueryWriter.view(named: "v\(index)", schema, dice: Dice(seed: seed, .view, index))
            if primary.attempt(view.statement) { schema.views.append(view) }
        }
    }

    // MARK: Running

    /// Fills the places, then makes transactions until `limit` pairs have been judged.
    func run(transactions: Int, limit: Int, _ tally: inout RunTally) throws {
        tally.worlds += 1
        // The first transaction takes everything that making the world has put into the stream.
        _ = try primary.make(Change(steps: [], ending: .commit))
        let ceiling = try primary.ceiling()
        let start = try primary.look()
        judge.start(at: start.insertLSN, snapshot: start.snapshot, ceiling: ceiling)
        let catalog = try primary.catalog()
        self.catalog = catalog
        statements.replaceCatalog(catalog)
        for index in places.indices { try fill(index, &tally) }
        try refill([])
        for index in 0..<transactions {
            guard tally.sum().pairs < limit else { return }
            try make(ChangeGenerator.change(schema, seed: seed, index: index), &tally)
        }
    }

    /// Finds a query for the place: valid, cacheable, and not too much to read.
    private func fill(_ index: Int, _ tally: inout RunTally) throws {
        for attempt in 0..<40 {
            let query = QueryWriter.query(schema, dice: Dice(seed: seed, .query, index, attempt: attempt))
            let prepared = try primary.reader.prepare(query)
            guard let name = prepared.name else {
                tally.invalid += 1
                continue
            }
            guard let dependencies = dependencies(of: query, &tally) else { continue }
            let isBegun = judge.begin(index, dependencies)
            let answer = try primary.reader.run([(name, query)])[0]
            if isBegun { judge.complete(index, answer, isBinary: query.isBinary) }
            guard answer.failure == nil else {
                tally.invalid += 1
                continue
            }
            tally.queries += 1
            places[index] = Place(query: query, name: name, dependencies: dependencies, answer: answer)
            return
        }
    }

    private func dependencies(of query: GeneratedQuery, _ tally: inout RunTally) -> Dependencies? {
        let analysis = statements.analysis(of: Array(query.sql.utf8).span.bytes, context: context)
        do throws(Refusal) {
            switch analysis.verdict {
            case .uncacheable(let refusal): throw refusal
            case .cacheable(let plan):
                let parameters = query.parameters.map {
                    BoundParameter(type: TypeID($0.type), isBinary: $0.isBinary, bytes: $0.bytes)
                }
                let dependencies = try plan.bind(parameters)
                return forgotten == 0
                    ? dependencies : Dependencies(tables: dependencies.tables.dropLast(forgotten))
            }
        } catch {
            tally.uncacheable[error.rule.rawValue, default: 0] += 1
            return nil
        }
    }

    // MARK: Transactions

    private func make(_ change: Change, _ tally: inout RunTally) throws {
        guard let transaction = try primary.make(change) else {
            tally.refusedTransactions += 1
            return
        }
        tally.transactions += 1
        let rulings = judge.apply(transaction)
        // Fills begin before their queries are sent, and see the transaction.
        let look = try primary.look()
        judge.settle(snapshot: look.snapshot, insertLSN: look.insertLSN)
        let dropped = places.indices.filter { !(rulings[$0].map { !$0.wasDropped } ?? false) }
        let begun = begin(dropped)
        let answers = try rerun()
        for index in places.indices {
            guard let answer = answers[index], let place = places[index] else { continue }
            if let ruling = rulings[index] {
                settle(ruling, place, answer, change, transaction, index, &tally)
            }
            places[index]?.answer = answer
            if begun.contains(index) {
                judge.complete(index, answer, isBinary: place.query.isBinary)
            }
            if answer.failure == Reader.tooMuch { places[index] = nil }
        }
        try refill(begun)
        tally.unkept += places.indices.count { index in
            places[index].map { $0.answer.failure == nil && !judge.isLive(index) } ?? false
        }
    }

    private func settle(
        _ ruling: Ruling, _ place: Place, _ answer: Answer, _ change: Change, _ transaction: CommittedTransaction,
        _ index: Int, _ tally: inout RunTally
    ) {
        guard answer.failure != Reader.tooMuch else { return }
        let isChanged = answer != place.answer
        let kind = RunTally.Class(shape: place.query.shape, hasFullIdentity: place.query.hasFullIdentity)
        tally.classes[kind, default: PairTally()].add(ruling, isChanged: isChanged)
        var title: String?
        if isChanged, !ruling.wasDropped {
            title = "MISS: another answer, and the entry is still served"
        } else if let contradiction = ruling.contradiction {
            title = "CONTRADICTION: \(contradiction)"
            tally.contradictions += 1
        }
        guard let title else { return }
        let analysis = statements.analysis(of: Array(place.query.sql.utf8).span.bytes, context: context)
        report(
            Failure(
                number: number, title: title, schema: schema, query: place.query,
                explanation: Explanation(of: analysis, in: catalog).text, change: change, transaction: transaction,
                before: place.answer, after: answer))
        // The rest of the world would only repeat it.
        places[index] = nil
    }

    private func begin(_ indices: [Int]) -> Set<Int> {
        Set(
            indices.filter { index in
                guard let place = places[index] else { return false }
                return judge.begin(index, place.dependencies)
            })
    }

    private func rerun() throws -> [Answer?] {
        let live = places.indices.filter { places[$0] != nil }
        let answers = try primary.reader.run(live.compactMap { index in places[index].map { ($0.name, $0.query) } })
        var all: [Answer?] = Array(repeating: nil, count: places.count)
        for (index, answer) in zip(live, answers) { all[index] = answer }
        return all
    }

    /// Makes servable what was filled.
    private func refill(_ begun: Set<Int>) throws {
        let look = try primary.look()
        judge.settle(snapshot: look.snapshot, insertLSN: look.insertLSN)
        judge.takeStock()
    }
}
