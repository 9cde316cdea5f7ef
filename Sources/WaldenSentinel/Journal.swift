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
    private let directory: String
    private let limit: Int
    private var file: CInt
    private let alive: CInt
    private var size: Int
    /// The line of the newest failover, which compaction keeps.
    private var failover: Line?
    private var line: Line?
    /// The directory may still name the file from before the last compaction.
    private var isNameUncertain = false
    /// At which size the next compaction is tried.
    private var compactionSize: Int

    /// - Parameters:
    ///   - directory: Made when it is missing.
    ///   - limit: Bytes from which on the journal is compacted when nothing is under way.
    init(in directory: String, limit: Int = 256 << 10) throws(SentinelError) {
        if mkdir(directory, 0o700) != 0, errno != EEXIST { throw SystemFile.failure("make", directory) }
        self.directory = directory
        self.limit = limit
        compactionSize = limit
        let path = "\(directory)/journal"
        file = try Self.openLocked(path)
        do throws(SentinelError) {
            alive = try SystemFile.open("\(directory)/alive")
        } catch {
            close(file)
            throw error
        }
        lastAliveAt = Int64(String(decoding: try SystemFile.read(alive, "\(directory)/alive"), as: UTF8.self))
        let bytes = try SystemFile.read(file, path)
        size = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        try take(bytes[..<size], path)
        guard ftruncate(file, off_t(size)) == 0, lseek(file, 0, SEEK_END) >= 0 else {
            throw SystemFile.failure("cut", path)
        }
        try SystemFile.syncDirectory(directory)
    }

    /// Two sentinels with one journal would each undo what the other does. The system lets go of the lock with the process.
    /// Between opening and locking, another one may have put a new file in the place of this one; then that one counts.
    private static func openLocked(_ path: String) throws(SentinelError) -> CInt {
        for _ in 0..<10 {
            let file = try SystemFile.open(path)
            guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
                close(file)
                break
            }
            if SystemFile.isNamed(file, by: path) { return file }
            close(file)
        }
        throw SentinelError("another sentinel uses \(path); end it first")
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
                line = try JSONLine.decode(Line.self, text)
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
        let isFailover = line.record.state == .opening && newest?.state != .opening
        newest = line.record
        self.line = line
        guard isFailover else { return }
        lastFailoverAt = line.at
        failover = line
    }

    /// Returns when the record is on disk.
    func write(_ record: JournalRecord) throws(SentinelError) {
        // It is on disk already: the sentinel asks again for what took too long.
        guard record.sequence > newest?.sequence ?? 0 else { return }
        let line = Line(at: WallClock.microseconds(), record: record)
        // A record in a file that the directory may not name any more would be lost.
        if isNameUncertain { try confirmName() }
        let bytes = try Self.encoded(line)
        guard SystemFile.append(bytes, to: file), fsync(file) == 0 else {
            let failure = SystemFile.failure("write", "the journal")
            // What is half there must not stand before the next record.
            ftruncate(file, off_t(size))
            lseek(file, 0, SEEK_END)
            throw failure
        }
        size += bytes.count
        note(line)
    }

    private static func encoded(_ line: Line) throws(SentinelError) -> [UInt8] {
        do {
            return try JSONLine.encode(line)
        } catch {
            throw SentinelError("a record cannot be written: \(error)")
        }
    }

    /// Says that somebody watches. Not fsynced: a lost one only makes the absence longer.
    func stampAlive() {
        let text = String(WallClock.microseconds())
        _ = text.withCString { pwrite(alive, $0, text.utf8.count, 0) }
    }

    // MARK: Compaction

    /// A journal in the place of the present one: complete, on disk and locked.
    struct Successor {
        fileprivate let file: CInt
        fileprivate let size: Int
    }

    /// Leaves of a long journal what a restart needs. Only while nothing is under way: an incident's records stay together.
    ///
    /// Whenever it is interrupted, the directory names one complete journal, the former or its successor, and both say the
    /// same. When it fails it is tried again once the journal has grown as much again.
    func compactIfLong() throws(SentinelError) {
        guard size > compactionSize, let newest, newest.incident == nil, [.steady, .maintenance].contains(newest.state)
        else { return }
        compactionSize = size + limit
        try adopt(try makeSuccessor())
        compactionSize = max(limit, size * 2)
    }

    /// Writes `journal.new`.
    func makeSuccessor() throws(SentinelError) -> Successor {
        let path = "\(directory)/journal.new"
        let lines = [failover, line].compactMap { $0 }
        var bytes: [UInt8] = []
        for (index, line) in lines.enumerated() where index == 0 || line.record.sequence > lines[0].record.sequence {
            bytes += try Self.encoded(line)
        }
        let file = try SystemFile.open(path, O_TRUNC)
        guard flock(file, LOCK_EX | LOCK_NB) == 0, SystemFile.append(bytes, to: file), fsync(file) == 0 else {
            let failure = SystemFile.failure("write", path)
            close(file)
            throw failure
        }
        return Successor(file: file, size: bytes.count)
    }

    /// Puts it in the journal's place. The former one is let go of only then, so that no other sentinel finds a journal
    /// without a lock.
    func adopt(_ successor: Successor) throws(SentinelError) {
        guard rename("\(directory)/journal.new", "\(directory)/journal") == 0 else {
            let failure = SystemFile.failure("rename", "\(directory)/journal.new")
            close(successor.file)
            throw failure
        }
        close(file)
        file = successor.file
        size = successor.size
        isNameUncertain = true
        try confirmName()
    }

    private func confirmName() throws(SentinelError) {
        try SystemFile.syncDirectory(directory)
        isNameUncertain = false
    }
}
