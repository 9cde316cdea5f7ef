import Synchronization
import WaldenDependency
import WaldenPostgres
import WaldenProxy
import WaldenSQLParser

/// What the proxy asks of the parser, the catalog and the prober.
final class ProxySurroundings: ProxyDelegate {
    private let statements: StatementCatalog
    private let catalog: CatalogKeeper
    private let prober: Prober
    private let problem = Mutex<String?>(nil)

    init(statements: StatementCatalog, catalog: CatalogKeeper, prober: Prober) {
        self.statements = statements
        self.catalog = catalog
        self.prober = prober
    }

    /// Why the last connection to the primary failed; nil when it did not.
    var primaryProblem: String? { problem.withLock { $0 } }

    func analysis(of text: borrowing RawSpan, context: SessionContext) -> StatementAnalysis {
        statements.analysis(of: text, context: context)
    }

    var catalogGeneration: UInt64 { catalog.generation }

    func probeWanted() {
        prober.requestProbe()
    }

    func primaryReachable(_ problem: String?) {
        self.problem.withLock { $0 = problem }
    }
}
