import Glibc
import WaldenRejoin

/// Files on disk: what is said to be written is there after a power cut.
enum FileSystem {
    static func exists(_ path: String) -> Bool {
        var info = stat()
        return lstat(path, &info) == 0
    }

    static func kind(_ path: String) -> KeptFiles.Kind? {
        var info = stat()
        guard lstat(path, &info) == 0 else { return nil }
        switch info.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .directory
        case S_IFLNK: return .link
        default: return nil
        }
    }

    /// The names in a directory, in order.
    static func names(in directory: String) throws(AgentError) -> [String] {
        guard let handle = opendir(directory) else { throw failure("read", directory) }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func read(_ path: String, limit: Int = 1 << 20) throws(AgentError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("open", path) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= limit else { throw .failed("\(path) is larger than \(limit) bytes") }
        }
    }

    static func text(_ path: String) throws(AgentError) -> String {
        String(decoding: try read(path), as: UTF8.self)
    }

    /// Replaces the file by one with this content; never is there half of it.
    static func replace(_ path: String, with bytes: [UInt8], mode: mode_t = 0o600) throws(AgentError) {
        let partial = path + ".partial"
        try write(bytes, to: partial, mode: mode)
        try move(partial, to: path)
    }

    /// Renames, and returns when that is on disk.
    static func move(_ path: String, to target: String) throws(AgentError) {
        guard rename(path, target) == 0 else { throw failure("rename", path) }
        try sync(directory(of: target))
    }

    static func makeDirectory(_ path: String, mode: mode_t = 0o700) throws(AgentError) {
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw failure("make", path) }
    }

    static func sync(_ path: String) throws(AgentError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("open", path) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw failure("sync", path) }
    }

    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Links resolved; nil when there is nothing.
    static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    static func failure(_ what: String, _ path: String) -> AgentError {
        .failed("cannot \(what) \(path): \(String(cString: strerror(errno)))")
    }
}

// MARK: - Trees

extension FileSystem {
    /// What a copy may still take.
    struct Budget {
        var bytes = KeptFiles.bytesMaximum
        var files = KeptFiles.filesMaximum
    }

    /// Copies a file, a link or a directory with all in it, modes included; on disk when it returns.
    static func copy(_ source: String, to target: String, _ budget: inout Budget) throws(AgentError) {
        var info = stat()
        guard lstat(source, &info) == 0 else { throw failure("look at", source) }
        budget.files -= 1
        budget.bytes -= info.st_mode & S_IFMT == S_IFREG ? Int(info.st_size) : 0
        guard budget.files >= 0, budget.bytes >= 0 else {
            throw .failed(
                "more than \(KeptFiles.filesMaximum) files or \(KeptFiles.bytesMaximum >> 20) MB in the data directory "
                    + "are not PostgreSQL's own; move them out of it (\(source))")
        }
        switch info.st_mode & S_IFMT {
        case S_IFREG: try write(read(source, limit: KeptFiles.bytesMaximum), to: target, mode: info.st_mode & 0o7777)
        case S_IFLNK:
            var buffer = [CChar](repeating: 0, count: 4_096)
            let count = readlink(source, &buffer, buffer.count - 1)
            guard count > 0, symlink(buffer, target) == 0 else { throw failure("copy", source) }
        case S_IFDIR:
            try makeDirectory(target, mode: 0o700)
            for name in try names(in: source) { try copy("\(source)/\(name)", to: "\(target)/\(name)", &budget) }
            guard chmod(target, info.st_mode & 0o7777) == 0 else { throw failure("copy", source) }
            try sync(target)
        // Sockets and pipes belong to who made them.
        default: break
        }
    }

    /// Removes what is there, whatever it is; nothing when there is nothing.
    static func remove(_ path: String, isUnwanted: () -> Bool = { false }) throws(AgentError) {
        guard let kind = kind(path) else {
            guard unlink(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
            return
        }
        guard kind == .directory else {
            guard unlink(path) == 0 else { throw failure("remove", path) }
            return
        }
        if isUnwanted() { throw .interrupted }
        for name in try names(in: path) { try remove("\(path)/\(name)", isUnwanted: isUnwanted) }
        guard rmdir(path) == 0 else { throw failure("remove", path) }
    }

    private static func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(AgentError) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw failure("write", path) }
        defer { close(file) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            rest = rest.dropFirst(count)
        }
        guard fchmod(file, mode) == 0, fsync(file) == 0 else { throw failure("write", path) }
    }
}
