internal import CLibPQ

/// Keeps what the server says besides its answers, which libpq would print to standard error.
final class NoticeCollector {
    private static let limit = 100
    private var lines: [String] = []

    /// The collector must outlive the connection.
    func attach(to handle: OpaquePointer) {
        PQsetNoticeProcessor(
            handle,
            { context, message in
                guard let context, let message else { return }
                let text = ErrorText.parse(String(cString: message)).message
                Unmanaged<NoticeCollector>.fromOpaque(context).takeUnretainedValue().append(text)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func append(_ line: String) {
        if lines.count < Self.limit { lines.append(line) }
    }

    func take() -> [String] {
        defer { lines = [] }
        return lines
    }
}
