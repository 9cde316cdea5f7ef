import FoundationEssentials
import Glibc
import Synchronization
import WaldenRejoin

/// What an agent must know after any end of its own.
struct AgentRecord: Codable, Sendable {
    /// The highest that a fence or a rejoin has carried.
    var term: UInt64 = 0
    /// The server is not to be started before a rejoin.
    var isFenced = false
    /// Whether `standby.signal` was there before the fence put one.
    var wasStandby = false
    /// Files in the data directory may be another node's.
    var isForeign = false
    /// The newest job.
    var job: JobReport?
    /// What the running rejoin was asked for; with its secrets, so gone when it ends.
    var request: RejoinRequest?
}

/// The record on disk: `STATE/agent.json`, replaced as a whole, owner's eyes only.
final class AgentMemory: Sendable {
    private let path: String
    private let current: Mutex<AgentRecord>
    private let lock: CInt

    /// - Throws: when another agent uses the directory, or the record cannot be read: to go on without knowing the highest
    ///   term could start a server that was fenced.
    init(in directory: String) throws(AgentError) {
        try FileSystem.makeDirectory(directory)
        lock = open("\(directory)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw FileSystem.failure("open", "\(directory)/lock") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw .refused("another agent uses \(directory); end it first")
        }
        path = "\(directory)/agent.json"
        do throws(AgentError) {
            current = Mutex(FileSystem.exists(path) ? try Self.decode(FileSystem.read(path), path) : AgentRecord())
        } catch {
            close(lock)
            throw error
        }
    }

    deinit {
        close(lock)
    }

    var record: AgentRecord { current.withLock { $0 } }

    /// Changes the record; returns when the change is on disk. Nothing is changed when it throws.
    func update(_ change: @Sendable (inout AgentRecord) -> Void) throws(AgentError) {
        try current.withLock { (record) throws(AgentError) in
            var new = record
            change(&new)
            try FileSystem.replace(path, with: Self.encode(new))
            record = new
        }
    }

    private static func decode(_ bytes: [UInt8], _ path: String) throws(AgentError) -> AgentRecord {
        do {
            return try JSONDecoder().decode(AgentRecord.self, from: Data(bytes))
        } catch {
            throw .refused(
                "\(path) cannot be read. Move it away only when it is certain that this node may be what it is now")
        }
    }

    private static func encode(_ record: AgentRecord) throws(AgentError) -> [UInt8] {
        do {
            return Array(try JSONEncoder().encode(record))
        } catch {
            throw .failed("the agent's record cannot be written as JSON: \(error)")
        }
    }
}
