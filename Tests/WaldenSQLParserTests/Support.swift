import WaldenCore
import WaldenDependency

@testable import WaldenSQLParser

/// The catalog under test, with `app, public` as the search path.
let testCatalog = CatalogText.snapshot(catalogRelations + "\n" + catalogFunctions, searchPath: "app, public")

func analyze(
    _ sql: String, searchPath: String? = nil, catalog: CatalogSnapshot? = testCatalog
) -> StatementAnalysis {
    let statements = StatementCatalog()
    statements.replaceCatalog(catalog)
    let context = SessionContext(searchPath: searchPath, loginUser: "alice", user: "alice")
    return statements.analysis(of: Array(sql.utf8).span.bytes, context: context)
}

func plan(_ sql: String) throws(Refusal) -> CachePlan {
    switch analyze(sql).verdict {
    case .cacheable(let plan): plan
    case .uncacheable(let refusal): throw refusal
    }
}

/// The one statement of a text as a query; nil when it is none.
func parsedQuery(_ sql: String) -> Query? {
    let source = Array(sql.utf8)
    guard case .tree(let tree) = SQLParser.parse(source),
        case .query(let query) = StatementReader(tree: tree, source: source).read()?.statements.first?.form
    else { return nil }
    return query
}

/// The rule that refuses the statement; nil when it is cacheable.
func rule(_ sql: String, searchPath: String? = nil) -> Refusal.Rule? {
    switch analyze(sql, searchPath: searchPath).verdict {
    case .cacheable: nil
    case .uncacheable(let refusal): refusal.rule
    }
}

/// `table(column, …): predicate` for each table, or the refusal.
func summary(_ sql: String, _ parameters: [BoundParameter] = []) -> String {
    do throws(Refusal) {
        let tables = try plan(sql).bind(parameters).tables
        return tables.map { table in
            let name = testCatalog.relation(table.relation)?.name ?? "?"
            let columns = table.columns.map { $0.sorted().joined(separator: ", ") } ?? "*"
            return "\(name)(\(columns)): \(table.predicate)"
        }.joined(separator: "; ")
    } catch {
        return "refused: \(error.rule.rawValue)"
    }
}

/// The predicate on `orders` of `SELECT 1 FROM orders WHERE condition`.
func predicate(_ condition: String, _ parameters: [BoundParameter] = []) -> String {
    do throws(Refusal) {
        return try plan("select 1 from orders where \(condition)").bind(parameters).tables[0].predicate.description
    } catch {
        return "refused: \(error.rule.rawValue)"
    }
}

func text(_ value: String?, _ type: TypeID = .unspecified) -> BoundParameter {
    BoundParameter(type: type, isBinary: false, bytes: value.map { Array($0.utf8) })
}

func binary(_ bytes: [UInt8], _ type: TypeID = .unspecified) -> BoundParameter {
    BoundParameter(type: type, isBinary: true, bytes: bytes)
}
