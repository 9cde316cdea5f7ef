import Logging
import ServiceLifecycle
import WaldenCache
import WaldenProxy

/// Compares what the cache kept with what was read anew, apart from the threads that serve.
struct AuditService: ServiceLifecycle.Service {
    private static let interval = Duration.milliseconds(100)

    let cache: ResultCache
    let isOn: Bool
    let log: Logger

    func run() async throws {
        guard isOn else {
            try? await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                for audit in cache.takeAudits() { compare(audit) }
            }
        }
    }

    private func compare(_ audit: Audit) {
        let agrees = ReplyComparison.agree(audit.kept, audit.read, grade: audit.grade)
        cache.auditEnded(audit, agrees: agrees)
        if agrees { return }
        log.error(
            "a kept result was wrong: its statement is not cached any more; please report this",
            metadata: ["shape": "\(audit.shape)", "watermark": "\(audit.watermark)"])
    }
}
