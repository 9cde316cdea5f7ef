/// Which files of a data directory are the node's own and are kept through a rejoin. `pg_rewind` and `pg_basebackup`
/// bring the source's instead of them: its `postgresql.conf`, its certificates, whatever else lies there.
///
/// Told by what PostgreSQL itself puts there rather than by following `include`: that keeps private keys and files of
/// extensions as well, and needs no reader of configuration files.
public enum KeptFiles {
    public enum Kind: Hashable, Sendable {
        case file
        case directory
        case link
    }

    /// More is not configuration, and would be copied twice while the node is down.
    public static let bytesMaximum = 64 << 20
    public static let filesMaximum = 10_000

    /// - Parameter name: An entry right beneath the data directory.
    public static func keeps(_ name: String, _ kind: Kind) -> Bool {
        switch kind {
        case .file:
            let isTransient = name.hasSuffix(".log") || name.hasSuffix(".tmp") || name == "logfile"
            return !isTransient && !serverFiles.contains(name)
        case .directory, .link:
            return !name.hasPrefix("pg_") && !serverDirectories.contains(name) && !serverFiles.contains(name)
        }
    }

    private static let serverDirectories: Set<String> = ["base", "global", "log", "lost+found"]

    private static let serverFiles: Set<String> = [
        "PG_VERSION", "postmaster.pid", "postmaster.opts", "standby.signal", "recovery.signal", "backup_label",
        "backup_label.old", "tablespace_map", "tablespace_map.old", "backup_manifest", "current_logfiles",
    ]
}
