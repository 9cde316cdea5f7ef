import Glibc

/// What the sentinel's files have in common: whole writes, and failures that say what could not be done with which file.
enum SystemFile {
    static func open(_ path: String, _ flags: CInt = 0) throws(SentinelError) -> CInt {
        let file = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0o600)
        guard file >= 0 else { throw failure("open", path) }
        return file
    }

    /// From its beginning to its end.
    static func read(_ file: CInt, _ path: String) throws(SentinelError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = pread(file, &chunk, chunk.count, off_t(bytes.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    static func append(_ bytes: [UInt8], to file: CInt) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    static func syncDirectory(_ path: String) throws(SentinelError) {
        let directory = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure("open", path) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw failure("sync", path) }
    }

    /// Whether the path still names the open file.
    static func isNamed(_ file: CInt, by path: String) -> Bool {
        var (own, named) = (stat(), stat())
        guard fstat(file, &own) == 0, stat(path, &named) == 0 else { return false }
        return own.st_ino == named.st_ino && own.st_dev == named.st_dev
    }

    static func failure(_ what: String, _ path: String) -> SentinelError {
        SentinelError("cannot \(what) \(path): \(String(cString: strerror(errno)))")
    }
}
