import FoundationEssentials
import Glibc
import WaldenCore
import WaldenFailover
import WaldenPostgres

/// The sentinel's memory: one JSON line a record, on disk before it is spoken of.
///
/// A last line without its end was never spoken of, and is cut off. Anything else that cannot be read is a refusal: to go
/// on without knowing what was begun could promote twice.
final class Journal {
    private struct Line: Codable {
        /// Microseconds since 2000-01-01 UTC.
        let at: Int64
        let record: JournalRecord
    }

    /// The newest record.
    private(set) var newest: JournalRecord?
    /// When the newest failover reached its new primary, by the wall clock.
    private(set) var lastFailoverAt: Int64?
    /// When a sentinel last showed that it lives, by the wall clock.
    let lastAliveAt: Int64?
    private let file: CInt
    private let alive: CInt

    /// - Parameter directory: Made when it is missing.
    init(in directory: String) throws(SentinelError) {
        if mkdir(directory, 0o700) != 0, errno != EEXIST { throw Self.failure("make", directory) }
        let path = "\(directory)/journal"
        file = try Self.open(path)
        alive = try Self.open("\(directory)/alive")
        // Two sentinels with one journal would each undo what the other does. The system lets go of it with the process.
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            throw SentinelError("another sentinel uses \(path); end it first")
        }
        lastAliveAt = Int64(String(decoding: try Self.read(alive, "\(directory)/alive"), as: UTF8.self))
        let bytes = try Self.read(file, path)
        let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        try take(bytes[..<end], path)
        guard ftruncate(file, off_t(end)) == 0, lseek(file, 0, SEEK_END) >= 0 else { throw Self.failure("cut", path) }
        try Self.syncDirectory(directory)
    }

    deinit {
        close(file)
        close(alive)
    }

    private func take(_ bytes: ArraySlice<UInt8>, _ path: String) throws(SentinelError) {
        for (index, text) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            // After the last line's end.
            if text.isEmpty, text.endIndex == bytes.endIndex { continue }
            let line: Line
            do {
                line = try JSONDecoder().decode(Line.self, from: Data(text))
            } catch {
                throw SentinelError(
                    "line \(index + 1) of \(path) cannot be read: \(error). Move the file away only when it is certain "
                        + "which node is the primary and that no standby is cut off")
            }
            guard line.record.sequence > newest?.sequence ?? 0 else {
                throw SentinelError("line \(index + 1) of \(path) has number \(line.record.sequence), not a higher one")
            }
            note(line)
        }
    }

    private func note(_ line: Line) {
        newest = line.record
        if line.record.state == .opening { lastFailoverAt = line.at }
    }

    /// Returns when the record is on disk.
    func write(_ record: JournalRecord) throws(SentinelError) {
        // It is on disk already: the sentinel asks again for what took too long.
        guard record.sequence > newest?.sequence ?? 0 else { return }
        let line = Line(at: WallClock.microseconds(), record: record)
        let bytes: [UInt8]
        do {
            bytes = Array(try JSONEncoder().encode(line)) + [UInt8(ascii: "\n")]
        } catch {
            throw SentinelError("a record cannot be written: \(error)")
        }
        let start = lseek(file, 0, SEEK_END)
        guard Self.append(bytes, to: file), fsync(file) == 0 else {
            let failure = Self.failure("write", "the journal")
            // What is half there must not stand before the next record.
            if start >= 0 { ftruncate(file, start) }
            throw failure
        }
        note(line)
    }

    /// Says that somebody watches. Not fsynced: a lost one only makes the absence longer.
    func stampAlive() {
        let text = String(WallClock.microseconds())
        _ = text.withCString { pwrite(alive, $0, text.utf8.count, 0) }
    }

    private static func append(_ bytes: [UInt8], to file: CInt) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func open(_ path: String) throws(SentinelError) -> CInt {
        let file = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("open", path) }
        return file
    }

    private static func read(_ file: CInt, _ path: String) throws(SentinelError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    private static func syncDirectory(_ path: String) throws(SentinelError) {
        let directory = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure("open", path) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw failure("sync", path) }
    }

    private static func failure(_ what: String, _ path: String) -> SentinelError {
        SentinelError("cannot \(what) \(path): \(String(cString: strerror(errno)))")
    }
}
