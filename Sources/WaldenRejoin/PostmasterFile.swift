/// `postmaster.pid`, which a running server keeps in its data directory.
public struct PostmasterFile: Hashable, Sendable {
    public let pid: Int32
    public let port: Int?
    /// The first of its directories of sockets.
    public let socketDirectory: String?

    /// Nil when its first line is no process's number.
    public init?(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        // A server in single-user mode writes its number negative.
        guard let number = lines.first.flatMap({ Int32($0) }), number != 0, number != .min else { return nil }
        pid = abs(number)
        port = lines.count > 3 ? Int(lines[3]) : nil
        socketDirectory = lines.count > 4 && !lines[4].isEmpty ? String(lines[4]) : nil
    }
}
