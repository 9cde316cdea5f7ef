import Glibc

/// What `/proc` says of other processes.
public enum ProcessTable {
    /// The process's direct children.
    public static func children(of parent: Int32) -> [Int32] {
        Files.names(in: "/proc").compactMap { name in
            guard let pid = Int32(name), self.parent(of: pid) == parent else { return nil }
            return pid
        }
    }

    /// The command line; a PostgreSQL process writes its title there.
    static func title(of pid: Int32) -> String {
        guard let bytes = try? Files.read("/proc/\(pid)/cmdline") else { return "" }
        return String(decoding: bytes.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
    }

    /// The program's name, cut to 15 bytes; nil when there is no such process.
    static func name(of pid: Int32) -> String? {
        guard let text = try? Files.text("/proc/\(pid)/comm") else { return nil }
        return String(text.prefix { $0 != "\n" })
    }

    /// Memory held in RAM, in bytes; `VmHWM` is the most it ever was.
    public static func residentBytes(of pid: Int32, peak: Bool = false) throws -> Int {
        let field = peak ? "VmHWM:" : "VmRSS:"
        for line in try Files.text("/proc/\(pid)/status").split(separator: "\n") where line.hasPrefix(field) {
            let words = line.split { $0 == " " || $0 == "\t" }
            if words.count > 1, let kilobytes = Int(words[1]) { return kilobytes * 1024 }
        }
        throw TestKitError("no \(field) for process \(pid)")
    }

    /// Open file descriptors.
    public static func descriptorCount(of pid: Int32) -> Int {
        Files.names(in: "/proc/\(pid)/fd").count
    }

    private static func parent(of pid: Int32) -> Int32? {
        // Field 4, after the name in parentheses, which may itself hold spaces and parentheses (proc(5)).
        guard let text = try? Files.text("/proc/\(pid)/stat"), let close = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: close)...].split(separator: " ")
        return fields.count > 1 ? Int32(fields[1]) : nil
    }
}
