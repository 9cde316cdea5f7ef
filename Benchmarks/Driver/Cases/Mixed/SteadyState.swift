import Glibc
import WaldenTestKit

extension System {
    /// Puts the cache in the state that a long run of the load leaves it in: every key has been asked for, and of each,
    /// with the probability of a write, the last request was one. A short measurement then shows the hit rate of a long
    /// one.
    func settle(_ load: Load, _ kind: CustomerLoad, on bench: Workbench) throws {
        guard let walden else { return }
        let writer = try bench.cluster.primary.connect()
        try walden.waitUntilApplied(Changes.mark(writer))
        try fill(load)
        guard load.writePercent > 0 else { return }
        try kind.change(percent: Int(load.writePercent), writer, on: bench)
        try walden.waitUntilApplied(Changes.mark(writer))
    }

    /// Asks for all keys twice: what the first pass fetched, the second finds.
    func fill(_ load: Load) throws {
        var load = load
        load.distribution = .sequential
        load.connections = max(8, load.connections)
        load.spins = true
        load.writePercent = 0
        load.requests = load.keys * 2
        load.seconds = 300
        load.warmupSeconds = 0
        load.watched = []
        let result = try load.run(port: port)
        guard result.faults == 0 else { throw TestKitError("errors while filling: \(result.firstError ?? "")") }
    }

    /// Stops Walden and the walsender that feeds it, so that what is measured meanwhile does not pay for them.
    func pause(_ bench: Workbench) throws -> Pause {
        Pause(processes: [try Changes.walsender(bench), pid])
    }

    /// Lasts until it goes.
    final class Pause {
        private let processes: [Int32]

        fileprivate init(processes: [Int32]) {
            self.processes = processes
            for process in processes { kill(process, SIGSTOP) }
        }

        deinit {
            for process in processes { kill(process, SIGCONT) }
        }
    }
}
