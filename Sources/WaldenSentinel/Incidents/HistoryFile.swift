import Glibc

/// Lines appended to a file that is put aside when it is full: at most twice `limit` bytes on disk.
final class HistoryFile {
    private let path: String
    private let limit: Int
    private var file: CInt
    private var size: Int
    private var lines: [ArraySlice<UInt8>]

    /// What stands after the last line's end was not written to its own end, and is cut off.
    init(path: String, limit: Int) throws(SentinelError) {
        let file = try SystemFile.open(path, O_APPEND)
        let bytes: [UInt8]
        do throws(SentinelError) {
            bytes = try SystemFile.read(file, path)
        } catch {
            close(file)
            throw error
        }
        self.path = path
        self.limit = limit
        self.file = file
        size = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        lines = Self.former("\(path).1") + bytes[..<size].split(separator: UInt8(ascii: "\n"))
        if size < bytes.count { ftruncate(file, off_t(size)) }
    }

    deinit {
        close(file)
    }

    private static func former(_ path: String) -> [ArraySlice<UInt8>] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        let bytes = (try? SystemFile.read(file, path)) ?? []
        return bytes.split(separator: UInt8(ascii: "\n"))
    }

    /// What the files held at the start, oldest first; they are not kept.
    func takeLines() -> [ArraySlice<UInt8>] {
        defer { lines = [] }
        return lines
    }

    /// Whether it is written. What is half there is cut off.
    func append(_ line: [UInt8]) -> Bool {
        if size > 0, size + line.count > limit { putAside() }
        guard SystemFile.append(line, to: file) else {
            ftruncate(file, off_t(size))
            return false
        }
        size += line.count
        return true
    }

    /// Goes on in the full file when that cannot be done.
    private func putAside() {
        guard rename(path, "\(path).1") == 0, let new = try? SystemFile.open(path, O_APPEND) else { return }
        close(file)
        file = new
        size = 0
    }
}
