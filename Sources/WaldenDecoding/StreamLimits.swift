/// How much a stream may make the decoder hold. Values below the stated minimum are raised to it.
public struct StreamLimits: Hashable, Sendable {
    /// Row changes of one relation that one transaction may hold. Past it the whole relation counts as changed.
    /// Default 4,096; minimum 0.
    public let maxChangesPerRelation: Int
    /// Bytes of row changes, messages and their bookkeeping over all unfinished transactions. Past it the relations
    /// that hold most count as changed entirely, until half is free. Default 64 MiB; minimum 64 KiB.
    public let maxBufferedBytes: Int
    /// Bytes of Relation messages whose relations are remembered. Past it the stream fails, since the server does not
    /// describe a relation again. Default 256 MiB; minimum 64 KiB.
    public let maxCatalogBytes: Int
    /// Streamed transactions in progress. Default 4,096; minimum 1.
    public let maxStreamedTransactions: Int
    /// Transactions prepared and not yet finished. Default 4,096; minimum 1.
    public let maxPreparedTransactions: Int

    public init(
        maxChangesPerRelation: Int = 4096, maxBufferedBytes: Int = 64 << 20, maxCatalogBytes: Int = 256 << 20,
        maxStreamedTransactions: Int = 4096, maxPreparedTransactions: Int = 4096
    ) {
        self.maxChangesPerRelation = max(maxChangesPerRelation, 0)
        self.maxBufferedBytes = max(maxBufferedBytes, 64 << 10)
        self.maxCatalogBytes = max(maxCatalogBytes, 64 << 10)
        self.maxStreamedTransactions = max(maxStreamedTransactions, 1)
        self.maxPreparedTransactions = max(maxPreparedTransactions, 1)
    }
}
