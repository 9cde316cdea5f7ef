import Synchronization

/// Why nothing is cached at present, one reason a source; empty while all is well. For log, status and metrics.
final class CachingState: Sendable {
    /// Who may have something against caching.
    enum Source: String, Hashable, Sendable, CaseIterable {
        case configuration
        /// A prerequisite in the database is missing.
        case readiness
        case catalog
        case stream
        case control
    }

    private let reasons = Mutex<[Source: String]>([:])

    /// Returns whether this is news.
    @discardableResult
    func set(_ source: Source, _ reason: String?) -> Bool {
        reasons.withLock { reasons in
            guard reasons[source] != reason else { return false }
            reasons[source] = reason
            return true
        }
    }

    /// Most fundamental first.
    var all: [(source: Source, reason: String)] {
        let reasons = reasons.withLock { $0 }
        return Source.allCases.compactMap { source in reasons[source].map { (source, $0) } }
    }
}
