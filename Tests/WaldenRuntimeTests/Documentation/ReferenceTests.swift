import Glibc
import Testing
import WaldenAdmin

@testable import WaldenRuntime

/// docs/operating.md holds the tables that the program itself would print. When one changes, the new one is in the
/// failure's message, to be copied.
@Suite struct ReferenceTests {
    @Test func operatingGuideHasTheSettings() throws {
        #expect(try guide().contains(Configuration.reference), "\(Configuration.reference)")
    }

    @Test func operatingGuideHasTheMetrics() throws {
        #expect(try guide().contains(MetricsReference.markdown), "\(MetricsReference.markdown)")
    }

    @Test func helpNamesEverySettingInNarrowLines() {
        for setting in Setting.all { #expect(Configuration.help.contains("  \(setting.flag) \(setting.form)\n")) }
        #expect(Configuration.help.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    private struct Unreadable: Error {}

    private func guide() throws -> String {
        let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        guard let file = fopen("/\(root)/docs/operating.md", "r") else { throw Unreadable() }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
