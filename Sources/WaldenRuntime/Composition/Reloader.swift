import Logging
import Synchronization

/// Takes over what can change in a running process, on SIGHUP and at the console's command.
final class Reloader: Sendable {
    /// What has become of it.
    struct Change {
        /// Settings that differ and have taken effect.
        let changed: [String]
        /// Those that take effect with a restart.
        let needRestart: [String]
        /// Parts that stay as they were because something is wrong with them.
        let faults: [String]
    }

    private let configuration: Mutex<Configuration>
    private let level: LogLevel
    private let log: Logger
    private let read: @Sendable () throws -> Configuration
    /// Is given the new one and the one before it; says what it could not take over.
    private let adopt: @Sendable (Configuration, Configuration) -> [String]

    init(
        configuration: Configuration, level: LogLevel, log: Logger,
        read: @escaping @Sendable () throws -> Configuration,
        adopt: @escaping @Sendable (Configuration, Configuration) -> [String]
    ) {
        self.configuration = Mutex(configuration)
        self.level = level
        self.log = log
        self.read = read
        self.adopt = adopt
    }

    /// As it was read last, whether or not all of it has taken effect.
    var current: Configuration { configuration.withLock { $0 } }

    /// One at a time. Throws what is wrong with the configuration, which then changes nothing; both ends are logged.
    func reload() throws -> Change {
        do {
            return try configuration.withLock { current in
                let new = try read()
                let (reloadable, needRestart) = current.differences(to: new)
                level.set(new.logLevel)
                let faults = adopt(new, current)
                for fault in faults {
                    log.error("a part of the configuration stays as it was", metadata: ["reason": "\(fault)"])
                }
                log.notice("the configuration was read again", metadata: ["changed": "\(reloadable)"])
                if !needRestart.isEmpty {
                    log.warning("some changes take effect with a restart only", metadata: ["keys": "\(needRestart)"])
                }
                current = new
                return Change(changed: reloadable, needRestart: needRestart, faults: faults)
            }
        } catch {
            log.error("the configuration was not taken over", metadata: ["error": "\(error)"])
            throw error
        }
    }
}
