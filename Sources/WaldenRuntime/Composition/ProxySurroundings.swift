import WaldenDependency
import WaldenPostgres
import WaldenProxy
import WaldenSQLParser

/// What the proxy asks of the parser, the catalog and the prober.
final class ProxySurroundings: ProxyDelegate {
    private let statements: StatementCatalog
    private let catalog: CatalogKeeper
    private let services: PrimaryServices

    init(statements: StatementCatalog, catalog: CatalogKeeper, services: PrimaryServices) {
        self.statements = statements
        self.catalog = catalog
        self.services = services
    }

    func analysis(of text: borrowing RawSpan, context: SessionContext) -> StatementAnalysis {
        statements.analysis(of: text, context: context)
    }

    var catalogGeneration: UInt64 { catalog.generation }

    func probeWanted() {
        services.requestProbe()
    }
}
