import Glibc
import WaldenRuntime

extension CommandOutcome {
    /// Prints what there is to say and ends the process.
    func exit() -> Never {
        Self.write(output, to: STDOUT_FILENO)
        if let problem {
            Self.write(problem.split(separator: "\n").map { "walden: \($0)\n" }.joined(), to: STDERR_FILENO)
        }
        Glibc.exit(status.rawValue)
    }

    static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
