import Glibc

/// What a program that ran to its end has left.
public struct ProcessOutput: Sendable {
    public let status: ExitStatus
    public let output: String
    public let errors: String

    /// Both streams, for a message.
    public var transcript: String { [output, errors].filter { !$0.isEmpty }.joined(separator: "\n") }
}

/// Runs programs to their end, with a limit of time.
public enum ProcessRunner {
    /// Runs the program; its streams go through files, so no amount of output can block it.
    ///
    /// - Throws: `TestKitError` when it cannot be started, or was killed because `timeout` passed.
    public static func run(
        _ arguments: [String], environment: [String: String] = [:], input: String = "",
        timeout: Duration = .seconds(60)
    ) throws -> ProcessOutput {
        let scratch = try Scratch()
        defer { scratch.end() }
        var command = Command(arguments, in: scratch.path)
        command.environment = environment
        command.output = "\(scratch.path)/output"
        command.errors = "\(scratch.path)/errors"
        if !input.isEmpty {
            command.input = "\(scratch.path)/input"
            try Files.write(input.utf8, to: command.input)
        }
        let process = try ChildProcess(command)
        guard let status = try? process.wait(timeout: timeout) else {
            process.kill()
            let text = (try? Files.text("\(scratch.path)/output")) ?? ""
            let errors = (try? Files.text("\(scratch.path)/errors")) ?? ""
            throw TestKitError("\(arguments.joined(separator: " ")) ran longer than \(timeout):\n\(text)\n\(errors)")
        }
        return ProcessOutput(
            status: status, output: try Files.text(command.output),
            errors: try Files.text("\(scratch.path)/errors"))
    }

    /// Runs the program and gives its output; any other exit code than zero is an error.
    @discardableResult
    public static func check(
        _ arguments: [String], environment: [String: String] = [:], input: String = "",
        timeout: Duration = .seconds(60)
    ) throws -> ProcessOutput {
        let result = try run(arguments, environment: environment, input: input, timeout: timeout)
        guard result.status.isSuccess else {
            throw TestKitError("\(arguments.joined(separator: " ")): \(result.status)\n\(result.transcript)")
        }
        return result
    }
}
