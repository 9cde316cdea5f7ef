import Glibc

/// The PostgreSQL programs of this machine.
public struct PostgresInstallation: Sendable {
    /// The folder with `initdb`, `postgres`, `psql` and the others.
    public let binaries: String

    /// `WALDEN_PG_BIN`, else what `pg_config` on the path names, else the newest of Debian's.
    public static let current: Result<PostgresInstallation, TestKitError> = {
        for folder in candidates where Files.isExecutable("\(folder)/initdb") {
            return .success(PostgresInstallation(binaries: folder))
        }
        return .failure(TestKitError("no PostgreSQL server programs found; scripts/bootstrap.sh installs them"))
    }()

    public func program(_ name: String) -> String {
        "\(binaries)/\(name)"
    }

    private static var candidates: [String] {
        var folders: [String] = []
        if let folder = getenv("WALDEN_PG_BIN") { folders.append(String(cString: folder)) }
        let configured = try? ProcessRunner.run(["pg_config", "--bindir"]).output
        if let folder = configured?.split(separator: "\n").first { folders.append(String(folder)) }
        let root = "/usr/lib/postgresql"
        let versions = Files.names(in: root).compactMap(Int.init).sorted(by: >)
        return folders + versions.map { "\(root)/\($0)/bin" }
    }
}

/// One freshly initialised data directory for this process; each new primary is a copy, which takes a fifth of the time.
enum InitialDatabase {
    private struct Template: Sendable {
        let scratch: Scratch
        let directory: String
    }

    private static let template: Result<Template, any Error> = Result {
        let scratch = try Scratch()
        let directory = try scratch.directory("initial")
        try make(in: directory, scratch)
        return Template(scratch: scratch, directory: directory)
    }

    /// A database with a system identifier of its own.
    static func make(in directory: String, _ scratch: Scratch) throws {
        let initdb = try PostgresInstallation.current.get().program("initdb")
        var command = Command(
            [initdb, "-D", directory, "-N", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"],
            in: scratch.path)
        command.asServerUser = true
        command.output = "\(scratch.path)/initdb.log"
        let status = try ChildProcess(command).wait(timeout: .seconds(120))
        guard status.isSuccess else {
            throw TestKitError("initdb: \(status)\n" + ((try? Files.text(command.output)) ?? ""))
        }
    }

    /// Copies the initial database into an existing, empty directory of the server user.
    static func copy(to directory: String) throws {
        let source = try template.get().directory
        try ProcessRunner.check(["cp", "-a", "--reflink=auto", "\(source)/.", directory])
    }
}
