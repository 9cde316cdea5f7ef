internal import Glibc
internal import WaldenCore

/// Runs programs. A program's end is its own exit, not that of what it leaves running: `pg_ctl` leaves a server behind that
/// may hold its streams for months.
public enum ProgramRunner {
    /// Blocks until the program has ended: not for the cooperative pool.
    ///
    /// - Parameter isUnwanted: Asked all the time; once true, the program is killed.
    public static func run(
        _ call: ProgramCall, isUnwanted: () -> Bool = { false }
    ) throws(ProgramError) -> ProgramEnd {
        let child = try RunningProgram(call)
        let deadline = now() + call.timeout
        var tail = OutputTail(limit: call.outputLimit)
        while true {
            child.read(into: &tail, milliseconds: pollMilliseconds)
            if let status = child.ended() {
                // What it had written by its end is there by now.
                child.read(into: &tail, milliseconds: 0)
                return tail.end(status)
            }
            let isLate = now() >= deadline
            guard isLate || isUnwanted() else { continue }
            child.kill()
            child.read(into: &tail, milliseconds: 0)
            return tail.end(isLate ? .timedOut : .interrupted)
        }
    }

    /// A program's exit makes no descriptor ready that is not its own, so it is looked for.
    private static let pollMilliseconds: CInt = 10

    private static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }
}

/// The last bytes of an output.
struct OutputTail {
    let limit: Int
    private var bytes: [UInt8] = []
    private var isCut = false

    init(limit: Int) {
        self.limit = limit
    }

    mutating func append(_ more: some Collection<UInt8>) {
        bytes += more
        guard bytes.count > limit else { return }
        isCut = true
        bytes.removeFirst(bytes.count - limit)
    }

    func end(_ status: ProgramEnd.Status) -> ProgramEnd {
        ProgramEnd(status: status, output: String(decoding: bytes, as: UTF8.self), isCut: isCut)
    }
}
