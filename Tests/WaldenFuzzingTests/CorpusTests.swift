import Glibc
import Testing
import WaldenFuzzing

/// Replays the inputs that the fuzzers start from, and those that once found something.
@Suite struct CorpusTests {
    @Test func clients() throws { try replay("client", ClientFuzzer.run) }

    @Test func servers() throws { try replay("server", ServerFuzzer.run) }

    @Test func fronts() throws { try replay("front", FrontFuzzer.run) }

    /// Each input whole, and cut short at every tenth byte.
    private func replay(_ name: String, _ run: ([UInt8]) -> Void) throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let folder = "/\(root)/Fuzzing/Corpus/\(name)"
        let directory = try #require(opendir(folder))
        defer { closedir(directory) }
        var count = 0
        while let entry = readdir(directory) {
            let file = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if file.hasPrefix(".") { continue }
            let input = try content("\(folder)/\(file)")
            run(input)
            for end in stride(from: 0, to: input.count, by: 10) { run(Array(input[..<end])) }
            count += 1
        }
        #expect(count >= 20)
    }

    private func content(_ path: String) throws -> [UInt8] {
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes[..<count])
    }
}
