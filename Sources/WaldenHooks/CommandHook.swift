import FoundationEssentials
public import Logging
import Synchronization
import WaldenCommands
public import WaldenFailover
import WaldenPostgres

/// A program of the operator's that is given an event: as JSON on its standard input, its main words in `WALDEN_…`
/// variables. No shell is in between.
public struct CommandHook: Sendable {
    /// The program, with its path, and its arguments.
    public var arguments: [String]
    /// It is killed, with its group of processes, after that.
    public var timeout: Duration

    public init(_ arguments: [String], timeout: Duration = .seconds(10)) {
        self.arguments = arguments
        self.timeout = timeout
    }

    /// The exit code of a fence that means: do not promote.
    public static let veto: Int32 = 75

    /// Asks it to fence: exit code 0 is done, 75 a veto; all else, and no end in time, has failed.
    public func fence(_ event: HookEvent, log: Logger) async -> StepOutcome {
        switch await run(event, log: log) {
        case .failure(let error): .failed(error.description)
        case .success(let end) where end.isSuccess: .done
        case .success(let end) where end.status == .exited(Self.veto):
            .refused("the fence hook vetoes: \(end.lastLines(2))")
        case .success(let end): .failed("the fence hook: \(end.status): \(end.lastLines(2))")
        }
    }

    /// Tells it; true when it exits with 0.
    func tell(_ event: HookEvent, log: Logger) async -> Bool {
        if case .success(let end) = await run(event, log: log) { end.isSuccess } else { false }
    }

    private func run(_ event: HookEvent, log: Logger) async -> Result<ProgramEnd, ProgramError> {
        var call = ProgramCall(arguments, timeout: timeout)
        call.environment = event.environment
        call.outputLimit = 4_096
        do {
            call.input = Array(try JSONEncoder().encode(event))
        } catch {
            return .failure(ProgramError("the event cannot be written as JSON: \(error)"))
        }
        let result = await ended(call)
        switch result {
        case .success(let end):
            log.log(
                level: end.isSuccess ? .info : .warning, "hook ended",
                metadata: [
                    "program": "\(call.name)", "event": "\(event.event.rawValue)", "status": "\(end.status)",
                    "output": "\(end.output)",
                ])
        case .failure(let error): log.warning("hook did not start", metadata: ["why": "\(error)"])
        }
        return result
    }

    /// On a thread of its own, as it waits; killed when the task is cancelled.
    private func ended(_ call: ProgramCall) async -> Result<ProgramEnd, ProgramError> {
        let isUnwanted = Flag()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                do throws(PostgresError) {
                    _ = try OwnedThread(name: "walden-hook") {
                        let result = Result { () throws(ProgramError) in
                            try ProgramRunner.run(call) { isUnwanted.isRaised }
                        }
                        continuation.resume(returning: result)
                    }
                } catch {
                    continuation.resume(returning: .failure(ProgramError("\(error)")))
                }
            }
        } onCancel: {
            isUnwanted.raise()
        }
    }
}

/// Raised once, by any thread.
private final class Flag: Sendable {
    private let value = Atomic(false)

    var isRaised: Bool { value.load(ordering: .relaxed) }

    func raise() {
        value.store(true, ordering: .relaxed)
    }
}
