import Glibc
import WaldenTestKit

/// The demo's servers left running by `up`, until `down`.
enum Residence {
    /// Names the directories in which they run. Beside the built program, so each checkout has its own.
    private static var note: String { ".build/demo-is-up" }

    static func up() throws {
        guard try directories().isEmpty else {
            Show.out("Already up; make down ends it.")
            return
        }
        Show.title("Walden before a primary and two standbys, until make down")
        let stage = try Stage.raise(port: Ports.free(preferring: 6432), adminPort: Ports.free(preferring: 6433))
        let scratches = [stage.walden.scratch, stage.cluster.scratch]
        try TextFile.write(scratches.map(\.path).joined(separator: "\n"), to: note)
        for scratch in scratches { scratch.keep() }
        Show.blank()
        Show.row("through Walden", "psql -h 127.0.0.1 -p \(stage.walden.port) -U postgres")
        Show.row("primary", "psql -h 127.0.0.1 -p \(stage.cluster.primary.port) -U postgres")
        for standby in stage.cluster.standbys {
            Show.row(standby.name, "psql -h 127.0.0.1 -p \(standby.port) -U postgres")
        }
        let admin = "http://127.0.0.1:\(stage.walden.adminPort)"
        Show.row("figures", "curl -s \(admin)/v1/status", "\(admin)/metrics")
        Show.row("log", stage.walden.logPath)
        // Not by returning: what is no longer referenced would be ended.
        withExtendedLifetime(stage) { exit(0) }
    }

    static func down() throws {
        let directories = try directories()
        for directory in directories { try Scratch(adopting: directory).end() }
        unlink(note)
        Show.out(directories.isEmpty ? "Nothing is up." : "Down.")
    }

    private static func directories() throws -> [String] {
        guard access(note, F_OK) == 0 else { return [] }
        let lines = try TextFile.read(note).split(separator: "\n").map(String.init)
        return lines.filter { access($0, F_OK) == 0 }
    }
}
