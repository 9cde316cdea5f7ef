import Glibc

/// Runs `body` with the path of a file of that content, which is removed afterwards.
func withFile(_ content: String, _ body: (String) throws -> Void) throws {
    try withFile(Array(content.utf8), body)
}

func withFile(_ content: [UInt8], _ body: (String) throws -> Void) throws {
    var template = Array("/tmp/walden-configuration-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw FileFailure() }
    close(descriptor)
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { unlink(path) }
    try writeFile(content, to: path)
    try body(path)
}

func writeFile(_ content: String, to path: String) throws { try writeFile(Array(content.utf8), to: path) }

private func writeFile(_ content: [UInt8], to path: String) throws {
    guard let file = fopen(path, "w") else { throw FileFailure() }
    defer { fclose(file) }
    guard fwrite(content, 1, content.count, file) == content.count else { throw FileFailure() }
}

private struct FileFailure: Error {}
