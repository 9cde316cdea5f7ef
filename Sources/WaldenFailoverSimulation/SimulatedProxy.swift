import WaldenCore
import WaldenFailover

/// The proxy as far as failover is concerned: whom it serves, in which term, and whether it holds.
struct SimulatedProxy {
    private(set) var term = Term.first
    /// Nil: nobody, while a new primary is being made.
    private(set) var primary: NodeID? = .configuredPrimary
    private(set) var heldSince: Instant?
    private(set) var epochs: Set<Term> = []

    /// A proxy that starts beside its sentinel goes by the journal.
    init(resuming record: JournalRecord?) {
        guard let record else { return }
        term = record.term
        // Its cache is empty.
        epochs = [record.term]
        switch record.state {
        case .steady, .maintenance, .needsHuman, .discover, .suspect: primary = record.primary
        case .hold, .sever, .census, .fence, .promote, .opening, .open, .aborting: primary = nil
        }
    }

    mutating func hold(at now: Instant) {
        if heldSince == nil { heldSince = now }
    }

    mutating func raise(to term: Term) {
        guard term > self.term else { return }
        self.term = term
        primary = nil
    }

    mutating func beginEpoch(in term: Term) { epochs.insert(term) }

    mutating func release(to node: NodeID, in term: Term) {
        self.term = max(self.term, term)
        primary = node
        heldSince = nil
    }

    var accepts: Bool { heldSince == nil && primary != nil }
}
