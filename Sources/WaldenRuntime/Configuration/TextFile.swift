import Glibc

/// Reads a file of text, within a bound.
enum TextFile {
    /// Why there is no text. It holds nothing of the file.
    struct Problem: Error, Hashable {
        let reason: String
    }

    static func read(_ path: String, limit: Int) throws(Problem) -> String {
        guard let file = fopen(path, "re") else { throw Problem(reason: "cannot be opened: \(systemError())") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            bytes += buffer[..<count]
            guard bytes.count <= limit else { throw Problem(reason: "is larger than \(limit >> 20) MB") }
        }
        guard ferror(file) == 0 else { throw Problem(reason: "cannot be read: \(systemError())") }
        guard let content = String(validating: bytes, as: UTF8.self) else { throw Problem(reason: "is not UTF-8") }
        return content
    }

    private static func systemError() -> String { String(cString: strerror(errno)) }
}
