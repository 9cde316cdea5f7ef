import Glibc
import Synchronization

/// A temporary directory whose end is the end of everything in it.
///
/// A supervisor shell holds one end of a socket pair and we the other. When ours closes, because `end()` was called, the last
/// reference went, or this process died in whatever way, the supervisor ends every process that runs in the directory
/// and removes it. Servers get SIGQUIT first, so that they give their shared memory back; a stopped one is resumed.
public final class Scratch: Sendable {
    public let path: String
    private let leash: Mutex<Int32>
    private let supervisor: ChildProcess

    public init() throws {
        var template = Array("\(Self.parent)/walden-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw systemError("cannot make a temporary directory") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        chmod(path, 0o755)
        let supervision = try Self.supervise(path)
        supervisor = supervision.supervisor
        leash = Mutex(supervision.leash)
    }

    /// Adopts an existing directory, to end what runs there and remove it.
    public init(adopting path: String) throws {
        self.path = path
        let supervision = try Self.supervise(path)
        supervisor = supervision.supervisor
        leash = Mutex(supervision.leash)
    }

    deinit {
        end()
    }

    /// A directory beneath this one that belongs to the user servers run as, made with those above it.
    ///
    /// - Parameter isPrivate: closed to all others, as a data directory has to be.
    public func directory(_ name: String, isPrivate: Bool = false) throws -> String {
        var child = path
        for part in name.split(separator: "/") {
            child += "/\(part)"
            if mkdir(child, 0o755) == 0 {
                if getuid() == 0 { chown(child, ServerUser.current.uid, ServerUser.current.gid) }
            } else if errno != EEXIST {
                throw systemError("cannot make \(child)")
            }
        }
        if isPrivate { chmod(child, 0o700) }
        return child
    }

    /// Writes a file beneath this directory; its path.
    public func write(_ name: String, _ content: String) throws -> String {
        let file = "\(path)/\(name)"
        try Files.write(content.utf8, to: file)
        return file
    }

    /// Ends what runs here and removes the directory. Further calls do nothing.
    public func end() {
        release()
        _ = try? supervisor.wait(timeout: .seconds(30))
    }

    /// Lets the directory and what runs in it outlive this process.
    public func keep() {
        leash.withLock { descriptor in
            guard descriptor >= 0 else { return }
            _ = send(descriptor, "keep\n", 5, Int32(MSG_NOSIGNAL))
        }
        end()
    }

    private func release() {
        leash.withLock { descriptor in
            guard descriptor >= 0 else { return }
            close(descriptor)
            descriptor = -1
        }
    }

    /// Socket paths are limited to 107 bytes, so a long TMPDIR is not used.
    private static var parent: String {
        guard let directory = getenv("TMPDIR").map({ String(cString: $0) }), directory.utf8.count <= 40,
            directory.hasPrefix("/"), access(directory, W_OK) == 0
        else { return "/tmp" }
        return directory
    }

    private static func supervise(_ path: String) throws -> (supervisor: ChildProcess, leash: Int32) {
        var ends: [Int32] = [0, 0]
        // Not a pipe: only this gets its close-on-exec flag in the same call.
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw systemError("cannot make a socket pair") }
        defer { close(ends[0]) }
        var command = Command(
            ["/bin/sh", "-c", supervisorScript, "walden-supervisor", path]
                + [ServerUser.current.prefix.joined(separator: " ")],
            in: "/")
        command.inputDescriptor = ends[0]
        let supervisor = try ChildProcess(command)
        return (supervisor, ends[1])
    }

    /// The second look is for containers in which root may not see the working directory of another user's process.
    private static let supervisorScript = """
        trap '' HUP INT TERM PIPE
        dir=$1 as_server=$2
        while read -r word; do [ "$word" = keep ] && exit 0; done
        mounts() { while read -r _ place _; do case $place in "$dir"/*) echo "$place" ;; esac; done </proc/mounts; }
        # Whoever writes to a frozen file system cannot be ended.
        for place in $(mounts); do fsfreeze --unfreeze "$place"; done 2>/dev/null
        members() {
            find /proc/[0-9]*/cwd -maxdepth 0 '(' -lname "$dir" -o -lname "$dir/*" ')' 2>/dev/null
            [ -z "$as_server" ] ||
                $as_server find /proc/[0-9]*/cwd -maxdepth 0 '(' -lname "$dir" -o -lname "$dir/*" ')' 2>/dev/null
        }
        round=0
        while found=$(members); [ -n "$found" ]; do
            for link in $found; do
                pid=${link#/proc/} pid=${pid%/cwd}
                read -r name <"/proc/$pid/comm" || continue
                if [ "$name" != postgres ] || [ "$round" -gt 100 ]; then
                    kill -KILL "$pid"
                elif [ $((round % 10)) = 0 ]; then
                    kill -QUIT "$pid"
                    kill -CONT "$pid"
                fi
            done 2>/dev/null
            round=$((round + 1))
            sleep 0.02
        done
        for place in $(mounts); do umount "$place" || umount -l "$place"; done 2>/dev/null
        rm -rf -- "$dir"
        """
}
