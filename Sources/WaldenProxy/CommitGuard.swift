import NIOCore
import NIOPosix
import Synchronization
public import WaldenCore

/// Knows what server processes are at.
public protocol CommitSource: Sendable {
    /// Whether a cancel could meet the wait of a commit for its standbys in that process. It may block for a moment: it is
    /// called on threads that exist for that.
    func danger(to processID: Int32, at node: NodeID) -> CommitDanger?
}

/// Why a cancel is not to reach a server process.
public enum CommitDanger: Hashable, Sendable {
    case awaitsStandbys
    /// Nobody knows what it is at; in words that are safe to log, with what to do about it.
    case unknown(String)
}

/// Keeps cancel requests from processes that wait for standbys: asks the source, off the event loops.
final class CommitGuard: Sendable {
    /// Looks that wait for one of the threads, or have one.
    private static let limit = 1_000
    private static let patience = TimeAmount.seconds(1)

    private let source: any CommitSource
    private let threads = NIOThreadPool(numberOfThreads: 2)
    private let waiting = Atomic<Int>(0)

    init(_ source: any CommitSource) {
        self.source = source
        threads.start()
    }

    func stop() async {
        try? await threads.shutdownGracefully()
    }

    /// - Parameter done: Is told on `loop`, once; nil: the process is in no commit, as of this moment.
    func look(
        at processID: Int32, of node: NodeID, on loop: any EventLoop, _ done: @escaping (CommitDanger?) -> Void
    ) {
        guard waiting.add(1, ordering: .relaxed).newValue <= Self.limit else {
            waiting.subtract(1, ordering: .relaxed)
            return done(.unknown("\(Self.limit) cancel requests are being looked at already"))
        }
        let latest = NIODeadline.now() + Self.patience
        let source = source
        let work = { @Sendable () -> CommitDanger? in
            // Behind a server that does not answer, each look would take as long as the first.
            guard NIODeadline.now() < latest else { return .unknown("earlier looks have taken too long") }
            return source.danger(to: processID, at: node)
        }
        threads.runIfActive(eventLoop: loop, work).assumeIsolated().whenComplete { result in
            self.waiting.subtract(1, ordering: .relaxed)
            switch result {
            case .success(let danger): done(danger)
            case .failure: done(.unknown("Walden is shutting down"))
            }
        }
    }
}
