import DequeModule
import WaldenCore
import WaldenDependency
import WaldenWire

/// Whose values `currval` and `lastval` tell on a server, as far as statements that write may have drawn some.
enum SequenceState {
    /// Nobody's.
    case unused
    case used(by: SequenceUser)
    case shared
}

/// A session, as one that draws from sequences.
final class SequenceUser {
    /// Where it has written; nil: nowhere yet.
    private weak var server: ServerSession?
    private var hasWritten = false
    private(set) var hasChanged = false
    /// It has written since it was given the server that it has.
    var hasWrittenHere = false

    func wrote(on server: ServerSession) {
        if hasWritten, self.server !== server { hasChanged = true }
        (self.server, hasWritten, hasWrittenHere) = (server, true, true)
        switch server.sequences {
        case .unused: server.sequences = .used(by: self)
        case .used(let known) where known === self: break
        case .used, .shared: server.sequences = .shared
        }
    }
}

/// `currval` and `lastval` (docs/adr/0040): a client is told what it drew itself, or that it drew nothing (55000), and
/// keeps its server from then on.
extension SessionMachine {
    /// Whether what others drew is discarded first, by the injection: what the session itself drew, it drew elsewhere, if
    /// anything.
    mutating func discardSequences(before analysis: StatementAnalysis) -> Bool {
        guard analysis.draws.contains(.sequences), let pooled, let server = pooled.server, units.isEmpty, !isUnitOpen,
            status != .failed, !pooled.sequences.hasWrittenHere
        else { return false }
        switch server.sequences {
        case .unused: return false
        case .used(let user) where user === pooled.sequences && !user.hasChanged: return false
        case .used, .shared: break
        }
        server.sequences = .unused
        server.unnamed = .none
        push(.sequences, Query("DISCARD SEQUENCES").encoded())
        return true
    }

    /// A unit of a pooled session has ended.
    func noteSequences(_ unit: Unit) {
        guard let pooled, let server = pooled.server else { return }
        if unit.effects.writes { pooled.sequences.wrote(on: server) }
        if unit.draws.contains(.sequences) { pooled.pins.insert(.sequenceState) }
        let seeds = unit.effects.settings.contains { change in
            if case .set(name: "seed", value: _, local: _) = change { true } else { false }
        }
        if seeds || unit.draws.contains(.randomSeed) { pooled.pins.insert(.randomSeed) }
    }
}
