import Glibc
import WaldenRejoin

/// The node's own files through a rejoin: set by, and put back where another node's came in their place.
struct NodeFiles {
    let node: Node

    /// Copies them to the state directory; all of them are there, or none.
    func save() throws(AgentError) {
        let partial = node.saved + ".partial"
        try FileSystem.remove(partial)
        try FileSystem.remove(node.saved)
        try FileSystem.makeDirectory(partial)
        var budget = FileSystem.Budget()
        for name in try kept(in: node.data) {
            try FileSystem.copy("\(node.data)/\(name)", to: "\(partial)/\(name)", &budget)
        }
        try FileSystem.sync(partial)
        try FileSystem.move(partial, to: node.saved)
    }

    /// Puts them back where they are saved still, and makes the directory a standby's.
    func configure(_ request: RejoinRequest) throws(AgentError) {
        if FileSystem.exists(node.saved) {
            for name in try kept(in: node.data) { try FileSystem.remove("\(node.data)/\(name)") }
            var budget = FileSystem.Budget()
            for name in try FileSystem.names(in: node.saved) {
                try FileSystem.copy("\(node.saved)/\(name)", to: "\(node.data)/\(name)", &budget)
            }
        }
        let path = "\(node.data)/postgresql.auto.conf"
        let content = FileSystem.exists(path) ? try FileSystem.text(path) : ""
        let following = ConfigurationText.following(
            content, upstream: request.upstream, applicationName: request.applicationName, slot: request.slot)
        try FileSystem.replace(path, with: Array(following.utf8))
        try FileSystem.remove("\(node.data)/recovery.signal")
        try markStandby()
    }

    var isStandby: Bool { FileSystem.exists("\(node.data)/standby.signal") }

    /// Whoever starts the server now gets one that only reads.
    func markStandby() throws(AgentError) {
        try FileSystem.replace("\(node.data)/standby.signal", with: [])
    }

    /// What is a crashed primary is to be recovered as one: `pg_rewind` does that in single-user mode, which refuses
    /// standbys.
    func unmarkStandby() throws(AgentError) {
        try FileSystem.remove("\(node.data)/standby.signal")
        try FileSystem.remove("\(node.data)/recovery.signal")
        try FileSystem.sync(node.data)
    }

    /// What keeps a copy of the primary from taking the place of the data directory.
    var copyObstacle: String? {
        guard access(node.parent, W_OK) == 0 else { return "\(node.parent) cannot be written to by this user" }
        guard FileSystem.exists(node.data) else { return nil }
        if device(node.data) != device(node.parent) { return "\(node.data) is a mount point, which cannot be renamed" }
        if FileSystem.kind("\(node.data)/pg_wal") == .link { return "pg_wal is a link to another place" }
        if let names = try? FileSystem.names(in: "\(node.data)/pg_tblspc"), !names.isEmpty {
            return "it has tablespaces, whose directories are taken"
        }
        return nil
    }

    var freeBytes: UInt64 {
        var info = statvfs()
        guard statvfs(node.parent, &info) == 0 else { return 0 }
        let (bytes, overflow) = UInt64(info.f_bavail).multipliedReportingOverflow(by: UInt64(info.f_frsize))
        return overflow ? .max : bytes
    }

    private func device(_ path: String) -> dev_t? {
        var info = stat()
        return stat(path, &info) == 0 ? info.st_dev : nil
    }

    private func kept(in directory: String) throws(AgentError) -> [String] {
        try FileSystem.names(in: directory).filter { name in
            guard let kind = FileSystem.kind("\(directory)/\(name)") else { return false }
            return KeptFiles.keeps(name, kind)
        }
    }
}
