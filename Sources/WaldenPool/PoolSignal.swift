import Synchronization

/// Whether links must not be lent on or laid to rest before the ledger was asked; read by all loops without a lock.
///
/// The ledger sets it before it asks a loop for an idle link. A loop that read false just before has laid its link to
/// rest when that request arrives, and so finds it; one that reads it later sees true. Hence no free link is missed.
public final class PoolSignal: Sendable {
    private let wanted = Atomic(false)

    public var isWanted: Bool { wanted.load(ordering: .acquiring) }

    func set(_ isWanted: Bool) {
        if wanted.load(ordering: .relaxed) != isWanted { wanted.store(isWanted, ordering: .releasing) }
    }
}
