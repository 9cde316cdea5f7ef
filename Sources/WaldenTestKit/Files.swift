import Glibc

/// Small files, read and written whole.
public enum Files {
    public static func read(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemError("cannot open \(path)") }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return content }
            if count > 0 {
                content += chunk[..<count]
            } else if errno != EINTR {
                throw systemError("cannot read \(path)")
            }
        }
    }

    public static func text(_ path: String) throws -> String {
        String(decoding: try read(path), as: UTF8.self)
    }

    public static func write(_ content: some Collection<UInt8>, to path: String, appending: Bool = false) throws {
        let mode = appending ? O_APPEND : O_TRUNC
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | mode, 0o644)
        guard descriptor >= 0 else { throw systemError("cannot write \(path)") }
        defer { close(descriptor) }
        let bytes = Array(content)
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + offset, $0.count - offset) }
            if count > 0 {
                offset += count
            } else if errno != EINTR {
                throw systemError("cannot write \(path)")
            }
        }
    }

    static func isExecutable(_ path: String) -> Bool {
        access(path, X_OK) == 0
    }

    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// The names in a directory, without `.` and `..`; none when it cannot be read.
    static func names(in directory: String) -> [String] {
        guard let handle = opendir(directory) else { return [] }
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

    /// Where a symbolic link points, nil when it cannot be read.
    static func linkTarget(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// A small text, read and written whole.
public enum TextFile {
    public static func read(_ path: String) throws -> String {
        try Files.text(path)
    }

    public static func write(_ text: String, to path: String) throws {
        try Files.write(text.utf8, to: path)
    }

    /// The names in a directory in order; none when it cannot be read.
    public static func names(in directory: String) -> [String] {
        Files.names(in: directory)
    }
}

/// `what`, followed by what `errno` says.
func systemError(_ what: String) -> TestKitError {
    TestKitError("\(what): \(String(cString: strerror(errno)))")
}
