/// A program to run to its end, within limits. No shell is in between: each argument arrives as it stands.
public struct ProgramCall: Sendable {
    /// The program and its arguments; the program is looked up in `PATH` unless it has a slash. Anyone on the host can read
    /// them (`ps`), so they hold no secret.
    public var arguments: [String]
    /// Added to this process's environment.
    public var environment: [String: String] = [:]
    /// For its standard input, at most `inputMaximum` bytes.
    public var input: [UInt8] = []
    /// Its group of processes is killed after that.
    public var timeout: Duration
    /// Of what it writes, the last bytes are kept.
    public var outputLimit = 16_384

    /// What a pipe holds before anyone reads: all is written before the program starts.
    public static let inputMaximum = 60_000

    public init(_ arguments: [String], timeout: Duration) {
        self.arguments = arguments
        self.timeout = timeout
    }

    /// Its program's name, for messages.
    public var name: String {
        arguments.first.map { $0.split(separator: "/").last.map(String.init) ?? $0 } ?? ""
    }
}

/// How a program ended.
public struct ProgramEnd: Sendable {
    public enum Status: Hashable, Sendable, CustomStringConvertible {
        case exited(Int32)
        case signalled(Int32)
        /// Killed for having taken too long.
        case timedOut
        /// Killed because it was not wanted any more.
        case interrupted

        public var description: String {
            switch self {
            case .exited(let code): "exit code \(code)"
            case .signalled(let signal): "signal \(signal)"
            case .timedOut: "ended for taking too long"
            case .interrupted: "interrupted"
            }
        }
    }

    public let status: Status
    /// The end of both streams, as text.
    public let output: String
    /// Whether its beginning is missing.
    public let isCut: Bool

    public var isSuccess: Bool { status == .exited(0) }

    /// The last lines of its output, for a message.
    public func lastLines(_ count: Int = 5) -> String {
        output.split(separator: "\n").suffix(count).joined(separator: "; ")
    }
}

/// The program did not start.
public struct ProgramError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
